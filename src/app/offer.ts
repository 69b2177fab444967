import { EngineError } from '../contract/error'
import { strings } from '../widget/strings'
import { recall, remember } from './remember'

/** localStorage: this visitor agreed to the download. */
const AGREED_KEY = 'minnow-agreed'

export interface OfferOptions {
  /** Holds the words and the button; shown while nobody has agreed. */
  section: HTMLElement
  words: HTMLElement
  button: HTMLButtonElement
  /** What would be downloaded. */
  manifest: URL
  /** Whether the model is on this device already. */
  isStored(): Promise<boolean>
}

/** On the first visit: says what would be downloaded and how large it is, and waits for the visitor to agree. */
export class Offer {
  readonly #options: OfferOptions
  #isAgreed = recall(AGREED_KEY) !== null

  constructor(options: OfferOptions) {
    this.#options = options
  }

  /** Resolves when the model may be loaded. @throws what kept the size from being known, or `signal.reason` */
  async agreed(signal: AbortSignal): Promise<void> {
    if (this.#isAgreed || (await this.#options.isStored().catch(() => false))) return
    const { section, words, button, manifest } = this.#options
    const { name, sizeBytes } = await readManifest(manifest, signal)
    const size = (sizeBytes / 1e6).toFixed(0)
    words.textContent = strings().offer.words(name, size)
    button.textContent = strings().offer.download(size)
    section.hidden = false
    try {
      await new Promise<void>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
        button.addEventListener('click', () => resolve(), { once: true, signal })
      })
      this.#isAgreed = true
      remember(AGREED_KEY, 'yes')
    } finally {
      section.hidden = true
    }
  }
}

async function readManifest(url: URL, signal: AbortSignal): Promise<{ name: string; sizeBytes: number }> {
  try {
    const response = await fetch(url, { signal })
    if (!response.ok) throw new Error(`The server answered ${response.status}.`)
    return (await response.json()) as { name: string; sizeBytes: number }
  } catch (cause) {
    signal.throwIfAborted()
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new EngineError('network', `The size of the model cannot be read (${url.pathname}). ${why}`, {
      cause,
    })
  }
}
