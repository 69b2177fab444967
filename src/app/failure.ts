import { describeError } from '../widget/error-words'
import { chooseRemedy, type Remedies, type Remedy } from '../widget/error-remedy'
import { strings } from '../widget/strings'
import { find } from './find'

const section = find('failure', HTMLElement)
const title = find('failure-title', HTMLElement)
const details = find('failure-details', HTMLDetailsElement)
const detail = find('failure-detail', HTMLElement)
const button = find('mend', HTMLButtonElement)

let mend: (() => void) | null = null
let remediesNow: () => Remedies = () => ({})

button.addEventListener('click', () => {
  const run = mend
  hideFailure()
  // Before it runs: what it opens takes the focus.
  find('question', HTMLTextAreaElement).focus()
  run?.()
})

/** @param remedies what the page can do at this moment, but for trying again */
export function provideRemedies(remedies: () => Remedies): void {
  remediesNow = remedies
}

/** Says what happened, with the button that mends it, where one does. @param retry does again what failed */
export function showFailure(error: unknown, retry?: () => void): void {
  const words = describeError(error)
  title.textContent = words.title
  detail.textContent = words.detail
  details.open = false
  const remedy = chooseRemedy(error, { ...remediesNow(), retry })
  mend = remedy?.run ?? null
  button.hidden = remedy === null
  if (remedy !== null) button.textContent = labelOf(remedy.kind)
  section.hidden = false
}

export function hideFailure(): void {
  section.hidden = true
  mend = null
}

function labelOf(kind: Remedy): string {
  const { page, store } = strings()
  return {
    retry: page.tryAgain,
    'new-conversation': page.newConversation,
    settings: page.settings,
    models: store.title,
    processor: page.runOnProcessor,
  }[kind]
}
