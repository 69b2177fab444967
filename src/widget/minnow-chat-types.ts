import type { Usage } from '../contract/engine'
import type { SendPurpose, SettledRoute } from '../contract/route'
import type { PersonCase } from '../router/queues'

/** `detail` of `minnow-answer`: a whole answer, or as much of it as there was when it was stopped. */
export interface AnswerDetail {
  readonly question: string
  readonly answer: string
  readonly stopped: boolean
  /** Whose answer it is, how sure, and what left the device for it. */
  readonly route: SettledRoute | null
  readonly usage: Usage | null
}

/** `detail` of `minnow-escalate`: a remote is asked; whoever had to consent has done so. */
export interface EscalateDetail {
  readonly question: string
  readonly purpose: SendPurpose
  readonly model: string
}

/** `detail` of `minnow-human`: an answer that a person should look at, with the whole conversation. */
export type HumanDetail = PersonCase

/**
 * `detail` of `minnow-error`. `code` is an `EngineErrorCode`, or 'internal' for what is none of Minnow's
 * errors.
 */
export interface ErrorDetail {
  readonly code: string
  readonly message: string
  readonly error: unknown
}

/** The events of `<minnow-chat>`. All bubble. */
export interface MinnowChatEvents {
  'minnow-answer': CustomEvent<AnswerDetail>
  'minnow-escalate': CustomEvent<EscalateDetail>
  'minnow-human': CustomEvent<HumanDetail>
  'minnow-error': CustomEvent<ErrorDetail>
  'minnow-open': CustomEvent<null>
  'minnow-close': CustomEvent<null>
}
