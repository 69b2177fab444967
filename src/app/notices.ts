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
  host.querySelector(':scope > .update-notice')?.remove()
  const notice = document.createElement('section')
  notice.className = 'update-notice'
  notice.role = 'status'
  const text = document.createElement('p')
  text.textContent = words.updateReady
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'quiet'
  button.textContent = words.restart
  button.addEventListener('click', () => {
    button.hidden = true
    text.textContent = `${words.updateReady} ${words.restartWaits}`
    void restart()
  })
  notice.append(text, button)
  host.prepend(notice)
}
