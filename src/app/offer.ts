import type { ModelDescription } from '../contract/model-store'
import { strings } from '../widget/strings'
import { forget, recall, remember } from './remember'

/** localStorage: this visitor agreed to the download. */
const AGREED_KEY = 'minnow-agreed'

export interface OfferOptions {
  /** Holds the words and the button; shown while nobody has agreed. */
  section: HTMLElement
  words: HTMLElement
  button: HTMLButtonElement
  /** What would be downloaded, and how much of it is here. */
  describe(signal: AbortSignal): Promise<ModelDescription>
  /** Whether so much more can be kept here. */
  hasRoomFor(bytes: number): Promise<boolean>
  /** On the visitor's click. */
  onAgreed(): void
}

/** On the first visit: says what would be downloaded and how large it is, and waits for the visitor to agree. */
export class Offer {
  readonly #options: OfferOptions
  #isAgreed = recall(AGREED_KEY) !== null

  constructor(options: OfferOptions) {
    this.#options = options
  }

  /** Asks again before the next download: the visitor deleted what came with the last one. */
  withdraw(): void {
    this.#isAgreed = false
    forget(AGREED_KEY)
  }

  /** Resolves when the model may be loaded. @throws what kept the size from being known, or `signal.reason` */
  async agreed(signal: AbortSignal): Promise<void> {
    if (this.#isAgreed) return
    const { section, words, button, describe, hasRoomFor } = this.#options
    const { name, sizeBytes, storedBytes, isComplete } = await describe(signal)
    if (isComplete) return
    const hasRoom = await hasRoomFor(sizeBytes - storedBytes)
    signal.throwIfAborted()
    const size = megabytes(sizeBytes)
    const meanwhile = document.createElement('small')
    meanwhile.textContent = strings().offer.meanwhile
    words.replaceChildren(strings().offer.words(name, size, megabytes(storedBytes), hasRoom), meanwhile)
    button.textContent = strings().offer.download(megabytes(sizeBytes - storedBytes))
    section.hidden = false
    try {
      await new Promise<void>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
        button.addEventListener('click', () => resolve(), { once: true, signal })
      })
      this.#isAgreed = true
      remember(AGREED_KEY, 'yes')
      this.#options.onAgreed()
    } finally {
      section.hidden = true
    }
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}
