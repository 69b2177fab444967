import type { TextMessage } from '../contract/chat-messages'
import type { Engine, EngineInfo, Usage } from '../contract/engine'
import type { SettledRoute } from '../contract/route'
import type { EngineState, OpenEngine } from './chat-engine'
import type { Turn } from './turn'

/** What is shown is told through these; the chat knows no DOM. */
export interface ChatEvents {
  engineChanged(state: EngineState): void
  /** Other turns are shown, or one more; oldest first. */
  turnsChanged(turns: readonly Turn[]): void
  answerGrew(turn: Turn, text: string): void
  /** `turn.answer` is another text as a whole. */
  answerReplaced(turn: Turn): void
  turnChanged(turn: Turn): void
  measured(usage: Usage, info: EngineInfo): void
  /** `retry` does again what failed: the answer of `turn`, or without one the load. */
  failed(error: unknown, retry: () => void, turn: Turn | null): void
}

export interface ChatOptions {
  open: OpenEngine
  events: ChatEvents
  /** Who is asked, for each turn anew: the local engine, or what stands over it. Default: the local engine. */
  route?(local: Engine, turn: Turn): Engine | Promise<Engine>
  /** What a router wrote down of an answer that was stopped or failed. */
  trace?(id: string): Promise<SettledRoute | null>
  /** Changes what is sent for a turn: passages of documents, examples. Default: the conversation as it is. */
  prepare?(
    messages: readonly TextMessage[],
    turn: Turn,
    signal: AbortSignal,
  ): Promise<readonly TextMessage[]> | readonly TextMessage[]
  /** Whether to ask for the probabilities of tokens. Default: never. */
  wantsTokens?(): boolean
}
