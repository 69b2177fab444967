/** What makes the page a program of its own: works offline, updates, takes what other programs share. */
import { receiveIncoming, type Incoming } from './incoming'
import { showOffline, showUpdate } from './notices'
import { Updates } from './updates'

export interface PwaOptions {
  /** Gets the mark that there is no network after it. */
  title: HTMLElement
  /** Gets the notice of a new version in it. */
  notices: HTMLElement
  /** What is written and not yet sent. */
  draft: { value: string }
  /** Whether a reload would go unnoticed, besides by somebody who typed, pressed or opened something: nothing is going on. */
  isUntouched(): boolean
  /** Text, files, or the wish for a new conversation came from outside. */
  onIncoming(incoming: Incoming): void
}

export interface Pwa {
  /** Tell it whenever an answer begins or ends: no version changes under an answer. */
  setBusy(busy: boolean): void
}

/** sessionStorage: what was in the composer when the page was reloaded. */
const DRAFT_KEY = 'minnow-draft'

export function startPwa({ title, notices, draft, isUntouched, onIncoming }: PwaOptions): Pwa {
  restoreDraft(draft)
  showOffline(title)
  let isTouched = false
  const touch = (): void => {
    isTouched = true
  }
  for (const type of ['pointerdown', 'keydown']) addEventListener(type, touch, { capture: true, once: true })
  const updates = new Updates({
    isUntouched: () => !isTouched && draft.value === '' && isUntouched(),
    onUpdate: (restart) => showUpdate(notices, restart),
    onReload: () => keepDraft(draft),
  })
  receiveIncoming((incoming) => {
    touch()
    onIncoming(incoming)
  })
  // The page comes first: what is fetched to be kept takes bandwidth.
  whenIdle(() => void updates.start())
  return updates
}

function whenIdle(run: () => void): void {
  const later = (): void => {
    // Safari has none.
    if ('requestIdleCallback' in globalThis) requestIdleCallback(run, { timeout: 2000 })
    else setTimeout(run, 200)
  }
  if (document.readyState === 'complete') later()
  else addEventListener('load', later, { once: true })
}

function keepDraft({ value }: { value: string }): void {
  if (value === '') return
  try {
    sessionStorage.setItem(DRAFT_KEY, value)
  } catch {
    // Storage is forbidden: whoever restarts by the button has seen what is in the composer.
  }
}

function restoreDraft(draft: { value: string }): void {
  try {
    const kept = sessionStorage.getItem(DRAFT_KEY)
    sessionStorage.removeItem(DRAFT_KEY)
    if (kept !== null && draft.value === '') draft.value = kept
  } catch {
    // Then nothing was kept.
  }
}
