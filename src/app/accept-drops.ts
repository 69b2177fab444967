import { strings } from '../widget/strings'

/** Takes files dropped anywhere on the page but on a dialog, which takes its own. */
export function acceptDrops(host: HTMLElement, onFiles: (files: File[]) => void): void {
  const veil = document.createElement('div')
  veil.className = 'drop-veil'
  veil.setAttribute('role', 'status')
  veil.hidden = true
  host.append(veil)
  const holdsFiles = (event: DragEvent): boolean =>
    event.dataTransfer?.types.includes('Files') === true &&
    !event.composedPath().some((each) => each instanceof HTMLDialogElement)
  document.addEventListener('dragover', (event) => {
    if (!holdsFiles(event)) return
    event.preventDefault()
    veil.textContent = strings().documents.drop
    veil.hidden = false
  })
  document.addEventListener('dragleave', ({ relatedTarget }) => {
    if (relatedTarget === null) veil.hidden = true
  })
  document.addEventListener('drop', (event) => {
    veil.hidden = true
    if (!holdsFiles(event)) return
    event.preventDefault()
    onFiles([...(event.dataTransfer?.files ?? [])])
  })
}
