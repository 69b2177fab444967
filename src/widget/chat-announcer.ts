/** Cuts a text that grows into sentences. */
export class SentenceReader {
  readonly #segmenter =
    'Segmenter' in Intl ? new Intl.Segmenter(undefined, { granularity: 'sentence' }) : null
  #rest = ''

  /** The sentences that are complete now: those after which another one has begun, and lines. */
  push(text: string): string[] {
    const parts = this.#cut(this.#rest + text)
    this.#rest = parts.pop() ?? ''
    return parts.map(spoken).filter((sentence) => sentence !== '')
  }

  /** What is left at the end, '' where nothing is. */
  flush(): string {
    const rest = spoken(this.#rest)
    this.#rest = ''
    return rest
  }

  #cut(text: string): string[] {
    if (this.#segmenter === null) return text.split(/(?<=[.!?。！？]\s|\n)/)
    return Array.from(this.#segmenter.segment(text), ({ segment }) => segment)
  }
}

/** Without the marks of Markdown, which nobody wants to hear. */
function spoken(text: string): string {
  return text
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[*_`~#>|]+|^\s*-{3,}\s*$/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

/** Lines that stay: enough for a reader who is behind. */
const KEPT = 12

/** Tells readers for the blind what happens and what is answered, sentence by sentence, through one live region. */
export class Announcer {
  readonly #region: HTMLElement
  #sentences = new SentenceReader()

  /** @param region with the role 'log' */
  constructor(region: HTMLElement) {
    this.#region = region
  }

  say(text: string): void {
    if (text === '') return
    const line = document.createElement('p')
    line.dir = 'auto'
    line.textContent = text
    this.#region.append(line)
    while (this.#region.childElementCount > KEPT) this.#region.firstElementChild?.remove()
  }

  /** An answer begins, or begins anew. */
  begin(): void {
    this.#sentences = new SentenceReader()
  }

  grow(text: string): void {
    for (const sentence of this.#sentences.push(text)) this.say(sentence)
  }

  end(): void {
    this.say(this.#sentences.flush())
  }
}
