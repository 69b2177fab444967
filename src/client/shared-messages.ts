import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  EngineInfo,
  LoadProgress,
} from '../contract/engine'
import type { EngineErrorData } from '../contract/error'

/** How the shared engine stands. 'idle': nobody has asked for it since this leader came. */
export type SharedState =
  | { phase: 'idle' }
  | { phase: 'loading'; progress: LoadProgress | null }
  | { phase: 'ready'; info: EngineInfo }
  | { phase: 'failed'; error: EngineErrorData }

/** A member to the leader. 'join': load, and say how it stands. */
export type MemberMessage =
  | { type: 'join' }
  | { type: 'ask'; member: string; request: string; params: ChatCompletionParams }
  | { type: 'cancel'; request: string }

/**
 * The leader to all. A term is one life of one engine: in a new one, whatever was asked must be asked again.
 */
export interface StateMessage {
  type: 'state'
  term: string
  state: SharedState
}

/** The leader to the member that asked. 'completed', 'ended' and 'failed' are last. */
export type AnswerMessage = { request: string; term: string } & AnswerBody

export type AnswerBody =
  | { type: 'started' }
  | { type: 'part'; part: ChatCompletionChunk }
  | { type: 'completed'; completion: ChatCompletion; info: EngineInfo }
  | { type: 'ended'; info: EngineInfo }
  | { type: 'failed'; error: EngineErrorData }
