import type { PromptMessage } from '../contract/chat-messages'

/** What the engine needs of a tokenizer; `src/tokenizer` gives it, tests give a small one. */
export interface EngineTokenizer {
  readonly vocabularySize: number
  /** Tokens that end an answer. They are not part of its text. */
  readonly endOfGeneration: ReadonlySet<number>
  /** The bytes a token stands for; not always whole characters. */
  bytesOf(id: number): Uint8Array
  createDetokenizer(): EngineDetokenizer
}

/** Turns a stream of ids into text and never gives half a character. */
export interface EngineDetokenizer {
  /** The text that is certain after this token, possibly ''. */
  push(id: number): string
  /** What is left at the end, incomplete characters replaced. */
  flush(): string
}

/** Turns a conversation into the ids of a prompt that ends where the assistant's answer begins. */
export interface EngineChatTemplate {
  /**
   * Text of the messages must not become special tokens. With `continueLast` the last message, the assistant's, stays
   * open.
   */
  encode(messages: readonly PromptMessage[], options?: { continueLast?: boolean }): ArrayLike<number>
}
