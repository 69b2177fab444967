/** The service worker as the page sees it: registers it, tells of new versions, and puts them into force. */
export interface UpdateOptions {
  /** Whether a reload would go unnoticed: nothing was written, asked or begun. */
  isUntouched(): boolean
  /** A new version is there. `restart` starts it, once no tab is answering. */
  onUpdate(restart: () => Promise<void>): void
  /** Before a reload. */
  onReload(): void
}

/** Relative to the page, so that it works in every folder. */
const SCRIPT = './service-worker.js'
/** sessionStorage: the page was reloaded for the sake of isolation. Once is enough: where it did not help, it never will. */
const RELOADED_KEY = 'minnow-reloaded-for-isolation'
const UPDATE_CHECK_MS = 3_600_000

export class Updates {
  readonly #options: UpdateOptions
  /** Shared while a tab is answering; the one that restarts asks for it alone. */
  readonly #lock = `minnow-answering ${new URL('.', document.baseURI).pathname}`
  #release: (() => void) | null = null
  #isIdle: Promise<void> = Promise.resolve()
  #isRestarting = false

  constructor(options: UpdateOptions) {
    this.#options = options
  }

  /** Registers the service worker. Where there can be none, the page works as before, online. */
  async start(): Promise<void> {
    const { serviceWorker } = navigator as { serviceWorker?: ServiceWorkerContainer }
    if (serviceWorker === undefined) return
    let isControlled = serviceWorker.controller !== null
    serviceWorker.addEventListener('controllerchange', () => {
      if (isControlled) this.#replaced()
      else this.#isolate()
      isControlled = true
    })
    const registration = await serviceWorker
      .register(new URL(SCRIPT, document.baseURI), { updateViaCache: 'none' })
      .catch(() => null)
    if (registration === null) return
    if (registration.waiting !== null && isControlled) this.#offer(registration)
    registration.addEventListener('updatefound', () => {
      const { installing } = registration
      installing?.addEventListener('statechange', () => {
        if (installing.state === 'installed' && isControlled) this.#offer(registration)
      })
    })
    let checked = Date.now()
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden' || Date.now() - checked < UPDATE_CHECK_MS) return
      checked = Date.now()
      registration.update().catch(() => undefined)
    })
  }

  /** No version changes under an answer. */
  setBusy(busy: boolean): void {
    if (busy === (this.#release !== null)) return
    this.#release?.()
    this.#release = null
    if (!busy) return
    this.#isIdle = new Promise((resolve) => {
      this.#release = resolve
    })
    void navigator.locks?.request(this.#lock, { mode: 'shared' }, () => this.#isIdle)
  }

  #offer(registration: ServiceWorkerRegistration): void {
    const restart = (): void => {
      this.#isRestarting = true
      registration.waiting?.postMessage('skip-waiting')
    }
    this.#options.onUpdate(() => this.#whileIdle(restart))
  }

  /** Another version than the one that made this page is in force, here and in all tabs. */
  #replaced(): void {
    if (this.#isRestarting || (this.#release === null && this.#options.isUntouched())) this.#reload()
    else this.#options.onUpdate(() => this.#whileIdle(() => this.#reload()))
  }

  /** The service worker isolates what it opens: this page, which it did not, can have threads after a reload. */
  #isolate(): void {
    if (crossOriginIsolated || this.#release !== null || !this.#options.isUntouched()) return
    try {
      if (sessionStorage.getItem(RELOADED_KEY) !== null) return
      sessionStorage.setItem(RELOADED_KEY, 'yes')
    } catch {
      // Without a note of it there could be a second time.
      return
    }
    this.#reload()
  }

  /** Runs it when no tab is answering. */
  async #whileIdle(run: () => void): Promise<void> {
    const runUnlessBusy = (): boolean => {
      if (this.#release !== null) return false
      run()
      return true
    }
    await this.#isIdle
    const hasRun = await (navigator.locks?.request(this.#lock, runUnlessBusy) ?? runUnlessBusy())
    if (!hasRun) await this.#whileIdle(run)
  }

  #reload(): void {
    this.#options.onReload()
    location.reload()
  }
}
