/**
 * What a router says of an answer, and what may be said to it. A router is an engine (`engine.ts`); these are the parts
 * that are its own: `minnow.route` of a request, and of the chunks and completions that come back.
 */

/** Where answers come from by default. */
export type RoutingMode = 'only-on-device' | 'prefer-on-device' | 'prefer-in-cloud' | 'only-in-cloud'

export type Modality = 'text' | 'image' | 'audio'

/** What a caller knows of one request; every field may be left out. */
export interface RouteRequest {
  /**
   * Overrules the policy's mode for this request, unless that is 'only-on-device'. 'only-in-cloud' is "ask the bigger
   * model".
   */
  mode?: RoutingMode
  /** True: this request is private and never leaves the device, whatever the policy says. Default false. */
  private?: boolean
  /** Kind of task, as rules of the policy name it. Default: told from the text. */
  task?: string
  complexity?: 'low' | 'medium' | 'high'
  /** ISO 639-1. Default: told from the text. */
  language?: string
  /** Default: told from the messages. */
  modality?: Modality
  /** What the answering engine must be able to do, for instance 'tools'. */
  requires?: readonly string[]
  /** 0…1: accept a local answer only from this calibrated confidence on. Default: the policy's threshold. */
  requiredAccuracy?: number
  /** US dollars this request may cost at most. */
  maxCostUsd?: number
  /** The remote is left out where its first text usually takes longer, and given up where it does. */
  maxLatencyMs?: number
  /** Whose budget, cache and ledger entries these are. Default: the router's user. */
  user?: string
  /** What consent is remembered for, for instance a conversation. Default 'default'. */
  scope?: string
}

/** What a remote charges. Prices change: `date` says when these were read. */
export interface Price {
  /** US dollars a million prompt tokens. */
  readonly inputPerMillion: number
  /** US dollars a million answer tokens. */
  readonly outputPerMillion: number
  /** ISO date, for instance '2025-06-30'. */
  readonly date: string
}

/** When a decision was made: by hard rules, from the prompt, from the answer's first tokens, further on, at its end. */
export type DecisionStage = 'rules' | 'before' | 'first-tokens' | 'during' | 'after'

export type RouteAction = 'local' | 'verify' | 'escalate' | 'human' | 'queue'

/** Why a decision went the way it did. */
export type RouteReason =
  | 'mode' // the mode in force says so
  | 'rule' // a rule of the policy says so
  | 'experiment' // an arm of an A/B split says so
  | 'private' // labelled private by the caller
  | 'personal-data' // the scan found some and the policy keeps it here
  | 'scan-failed' // the scan for personal data failed, so nothing may leave
  | 'no-consent' // the user was asked and said no, or nobody could be asked
  | 'no-remote' // no remote is configured
  | 'offline'
  | 'budget' // the day's, user's or request's money is spent
  | 'latency' // the remote is too slow for this request
  | 'context' // the prompt is longer than the local context
  | 'feature' // the local engine lacks what the request requires
  | 'modality' // the local engine cannot read this kind of input
  | 'confident' // calibrated confidence at or above the threshold
  | 'unsure' // calibrated confidence below the threshold
  | 'uncalibrated' // no calibration fits: the answer is taken as it is
  | 'repetition' // the answer repeats itself
  | 'broken-json' // the answer should be JSON and is not
  | 'empty-answer' // the local engine said nothing
  | 'confirmed' // the remote judged the local answer right
  | 'refuted' // the remote judged the local answer wrong
  | 'local-failed' // the local engine failed
  | 'remote-failed' // every remote failed

export interface RouteDecision {
  readonly action: RouteAction
  readonly stage: DecisionStage
  readonly reason: RouteReason
  /** Calibrated probability that the local answer is right, 0…1; null where none could be told. */
  readonly confidence: number | null
  /** What it was compared with. */
  readonly threshold: number | null
  /** The id of the policy's rule or the experiment's arm that decided, if one did. */
  readonly rule: string | null
}

/**
 * Whose text an answer is. 'local': the device's. 'verified': the device's, and a remote judged it right. 'unverified':
 * the device's, kept although more was wanted. 'remote': a remote's. 'cache': a remote's earlier answer kept on
 * the device.
 */
export interface AnswerSource {
  readonly kind: 'local' | 'verified' | 'unverified' | 'remote' | 'cache'
  /** The model whose text it is. */
  readonly model: string
  /** The remote model that judged it; null unless 'verified'. */
  readonly verifiedBy: string | null
}

export type SendPurpose = 'answer' | 'verify' | 'shadow'

/** One thing that left the device, exactly as it left. */
export interface SentRecord {
  readonly purpose: SendPurpose
  /** Milliseconds since 1970. */
  readonly at: number
  /** Where to; the engine's model where the engine does not tell. */
  readonly to: string
  /** The body of the request, or its parameters as JSON where the engine does not show its bodies. */
  readonly text: string
  /** 1 for the first attempt; retries and fallbacks count on. */
  readonly attempt: number
  /** Personal data replaced before sending: kind and placeholder, never the value. */
  readonly redacted: readonly { readonly kind: string; readonly placeholder: string }[]
}

/** Money of one request, in US dollars. Zero where no price is known, and then `priced` is false. */
export interface RouteCost {
  readonly spentUsd: number
  /** What the remote would have charged for the same question, less what was spent; at least 0. */
  readonly savedUsd: number
  readonly priced: boolean
}

/** How a request ended; the last thing a router says of it. */
export interface SettledRoute {
  readonly type: 'settled'
  /** Of the entry in the ledger; feedback names it. */
  readonly id: string
  readonly source: AnswerSource
  readonly confidence: number | null
  readonly decision: RouteDecision
  /** Everything that left the device for this request, oldest first. */
  readonly sent: readonly SentRecord[]
  readonly cost: RouteCost
  /** Code of the error that kept a remote's answer away; null where none did. */
  readonly errorCode: string | null
  /** True when the policy wants a person to look at it; it was put in the queue for people. */
  readonly human: boolean
}

/**
 * What a router says along a stream, on chunks of their own. Text of two models is never mixed: after 'upgrading' and
 * 'restoring' the reader drops all text shown so far; what follows is a whole new answer.
 */
export type RouteEvent =
  /** A remote is being asked; nothing changes on the screen yet. */
  | { readonly type: 'asking'; readonly purpose: 'answer' | 'verify'; readonly model: string }
  /** A remote's answer replaces the draft. */
  | { readonly type: 'upgrading'; readonly model: string; readonly decision: RouteDecision }
  /** The remote failed after 'upgrading': the local answer comes back. */
  | { readonly type: 'restoring'; readonly model: string }
  | SettledRoute

/** A request as it is about to leave the device. */
export interface OutgoingRequest {
  /** Without credentials. */
  readonly url: string
  readonly model: string
  /** The exact body. */
  readonly body: string
}

/** Who answered; on the first chunk of a stream and on completions of a remote, as `minnow.remote`. */
export interface RemoteSource {
  /** The name the remote was given, for instance 'openrouter'. */
  readonly name: string
  /** The model that was asked for. */
  readonly model: string
  readonly price: Price | null
  /** Requests that were sent for this answer, failed ones and those to other remotes included. */
  readonly requests: number
}
