import { takeShared } from './shared-items'

/** What comes to the page from outside of it: shared by other programs, opened with it, or asked for by a shortcut. */
export interface Incoming {
  /** Empty where there is none. */
  readonly text: string
  readonly files: readonly File[]
  /** In a new conversation. */
  readonly startsNew: boolean
}

/** https://wicg.github.io/web-app-launch/#launchqueue-interface; in Chromium only. */
interface LaunchQueue {
  setConsumer(consumer: (params: { readonly files?: readonly { getFile(): Promise<File> }[] }) => void): void
}

/** Calls back with each thing that comes, which may be long after the start. */
export function receiveIncoming(receive: (incoming: Incoming) => void): void {
  const address = new URL(location.href)
  const { searchParams } = address
  const shared = searchParams.get('shared')
  const startsNew = searchParams.has('new')
  if (shared !== null || startsNew) {
    searchParams.delete('shared')
    searchParams.delete('new')
    // A reload shall not do it again.
    history.replaceState(history.state, '', address)
  }
  if (shared !== null) {
    const folder = new URL(`shared/${encodeURIComponent(shared)}/`, document.baseURI)
    void takeShared(folder).then((items) => items && receive({ ...items, startsNew: true }))
  } else if (startsNew) receive({ text: '', files: [], startsNew })
  const { launchQueue } = globalThis as { launchQueue?: LaunchQueue }
  launchQueue?.setConsumer(({ files: handles = [] }) => {
    if (handles.length === 0) return
    void Promise.all(handles.map((handle) => handle.getFile())).then((files) =>
      receive({ text: '', files, startsNew: false }),
    )
  })
}
