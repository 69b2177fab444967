import type { Gguf } from '../src/gguf/types'
import type { Prompt } from './page/subject'

/**
 * A prompt of `length` tokens that is the same for those who take token ids and for those who take text: English
 * words that are one token each with the space before them, so that any tokeniser of this vocabulary gives back
 * these ids (wllama's count is checked at each run). The speed does not depend on what the words say.
 */
export function makePrompt(gguf: Gguf, length: number): Prompt {
  const vocabulary = gguf.metadata.get('tokenizer.ggml.tokens')
  if (!Array.isArray(vocabulary)) throw new Error('The model has no vocabulary')
  const candidates: { id: number; word: string }[] = []
  for (const [id, token] of vocabulary.entries()) {
    // 'Ġ' stands for a space in byte-level vocabularies; early ids are frequent pieces, whole words among them.
    if (typeof token === 'string' && /^Ġ[a-z]{4,7}$/.test(token))
      candidates.push({ id, word: ` ${token.slice(1)}` })
    if (candidates.length === 512) break
  }
  const ids: number[] = []
  const words: string[] = []
  for (let index = 0; index < length; index++) {
    // 197 is prime to 512: every word comes up before one repeats.
    const { id, word } = candidates[(index * 197) % candidates.length]!
    ids.push(id)
    words.push(word)
  }
  return { ids, words }
}
