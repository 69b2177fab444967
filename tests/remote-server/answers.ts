export interface ChatRequest {
  readonly model: string
  readonly messages: readonly { readonly role: string; readonly content: string }[]
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly maxTokens: number
  readonly temperature: number
}

/** What a model behind the server gives. */
export interface Answer {
  /** The pieces of the answer, about a token each; returns why it ended. */
  readonly pieces: AsyncIterable<string>
  readonly promptTokens: number
  finishReason(): 'stop' | 'length'
}

export type Answerer = (request: ChatRequest, signal: AbortSignal) => Answer | Promise<Answer>

/** Characters of one, two, three and four bytes, so that a cut can go through them. */
export const SCRIPTED_TEXT = 'The café’s 🐟 swims: naïve, 東京, and back again.'

/** Answers without a model: always the same text, word by word, as fast as it is read. */
export function scriptedAnswer(text: string = SCRIPTED_TEXT): Answerer {
  return ({ messages, maxTokens }) => {
    const words = text.match(/\s*\S+/g) ?? []
    const promptTokens = messages.flatMap(({ content }: { content: unknown }) =>
      typeof content === 'string' ? content.split(/\s+/) : [],
    ).length
    return {
      promptTokens,
      finishReason: () => (words.length > maxTokens ? 'length' : 'stop'),
      pieces: (async function* () {
        for (const word of words.slice(0, maxTokens)) yield await Promise.resolve(word)
      })(),
    }
  }
}
