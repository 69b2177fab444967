import type { RoutingMode } from '../contract/route'

/** What a conversation may set for itself. */
export interface ChatSettings {
  /** The system message. */
  readonly system: string
  /** 0…2; 0 always takes the likeliest token. */
  readonly temperature: number
  /** 0…1: smallest set of tokens with this total probability. */
  readonly topP: number
  /** Tokens of an answer, at most. */
  readonly maxTokens: number
  /** Overrules the policy's mode, unless that is 'only-on-device'; null leaves it. */
  readonly mode: RoutingMode | null
}

/** Without a system message the embedded model's template says it is a model of another name, and it answers worse. */
export const DEFAULT_CHAT_SETTINGS: ChatSettings = {
  system: 'You are a helpful assistant who gives short, correct answers.',
  temperature: 0.2,
  topP: 0.9,
  maxTokens: 512,
  mode: null,
}
