import type { EngineErrorCode } from '../contract/error'
import { strings } from '../widget/strings'

/** Shows beside the title that there is no network, while there is none. */
export function showOffline(title: HTMLElement): void {
  const words = strings().pwa
  const mark = document.createElement('span')
  mark.className = 'offline-mark'
  mark.role = 'status'
  title.after(mark)
  const show = (): void => {
    const isOffline = !navigator.onLine
    // Without text, nothing is seen or said.
    mark.textContent = isOffline ? words.offline : ''
    mark.title = isOffline ? words.offlineMeans : ''
  }
  addEventListener('online', show)
  addEventListener('offline', show)
  show()
}

/** Shows that a new version is there, with the button that starts it. */
export function showUpdate(host: HTMLElement, restart: () => Promise<void>): void {
  const words = strings().pwa
  const { text, button } = showNotice(host, 'update-notice', words.updateReady, words.restart)
  button.addEventListener('click', () => {
    button.hidden = true
    text.textContent = `${words.updateReady} ${words.restartWaits}`
    void restart()
  })
}

/** Shows that the model is used and not kept, with the button to what is; null: it is kept. */
export function showNotKept(host: HTMLElement, code: EngineErrorCode | null, showModels: () => void): void {
  if (code === null) {
    removeNotice(host, 'not-kept')
    return
  }
  const { store } = strings()
  const words = code === 'storage-full' ? store.notKept : store.nowhere
  showNotice(host, 'not-kept', words, store.title).button.addEventListener('click', showModels)
}

/** In the place of an earlier one of its kind. */
function showNotice(
  host: HTMLElement,
  kind: string,
  words: string,
  label: string,
): { text: HTMLElement; button: HTMLButtonElement } {
  removeNotice(host, kind)
  const notice = document.createElement('section')
  notice.className = `notice ${kind}`
  notice.role = 'status'
  const text = document.createElement('p')
  text.textContent = words
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'quiet'
  button.textContent = label
  notice.append(text, button)
  host.prepend(notice)
  return { text, button }
}

function removeNotice(host: HTMLElement, kind: string): void {
  host.querySelector(`:scope > .${kind}`)?.remove()
}
