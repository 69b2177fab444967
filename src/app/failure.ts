import { find } from './find'
import { describeError } from './words'

const section = find('failure', HTMLElement)
const title = find('failure-title', HTMLElement)
const detail = find('failure-detail', HTMLElement)
const button = find('retry', HTMLButtonElement)

let retry: (() => void) | null = null

button.addEventListener('click', () => {
  const again = retry
  hideFailure()
  again?.()
  find('question', HTMLTextAreaElement).focus()
})

/** Says what happened, with the button that mends it. */
export function showFailure(error: unknown, tryAgain: () => void): void {
  const words = describeError(error)
  title.textContent = words.title
  detail.textContent = words.detail
  retry = tryAgain
  section.hidden = false
}

export function hideFailure(): void {
  section.hidden = true
  retry = null
}
