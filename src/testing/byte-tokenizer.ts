import type { PromptMessage } from '../contract/chat-messages'

/** A tokenizer with one token for each byte, and a chat template to go with it; for tests that need no real one. */
export interface ByteTokenizer {
  /** 256 bytes, the end of a turn, and one token that opens each role's turn (the user's also a tool's). */
  readonly vocabularySize: number
  /** Ends every turn. */
  readonly endOfTurn: number
  readonly endOfGeneration: ReadonlySet<number>
  bytesOf(id: number): Uint8Array
  /** UTF-8. */
  encode(text: string): number[]
  decode(ids: Iterable<number>): string
  createDetokenizer(): { push(id: number): string; flush(): string }
  /** The template: role token, content, end of turn for each message; then the assistant's role token. */
  encodeChat(messages: readonly PromptMessage[], options?: { continueLast?: boolean }): number[]
}

const END_OF_TURN = 256
const ROLE_TOKENS = { system: 257, user: 258, assistant: 259, tool: 258 } as const

export function createByteTokenizer(): ByteTokenizer {
  const encode = (text: string): number[] => Array.from(new TextEncoder().encode(text))
  const bytesOf = (id: number): Uint8Array => (id < 256 ? Uint8Array.of(id) : new Uint8Array(0))
  return {
    vocabularySize: 260,
    endOfTurn: END_OF_TURN,
    endOfGeneration: new Set([END_OF_TURN]),
    bytesOf,
    encode,
    decode: (ids) => new TextDecoder().decode(Uint8Array.from(Array.from(ids).filter((id) => id < 256))),
    createDetokenizer() {
      const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
      return {
        push: (id) => decoder.decode(bytesOf(id), { stream: true }),
        flush: () => decoder.decode(),
      }
    },
    encodeChat(messages, { continueLast = false } = {}) {
      const ids: number[] = []
      for (const { role, content } of messages) ids.push(ROLE_TOKENS[role], ...encode(content), END_OF_TURN)
      if (continueLast) ids.pop()
      else ids.push(ROLE_TOKENS.assistant)
      return ids
    },
  }
}
