import type { Citation, StepProgress, TokenLogprob, Usage } from '../contract/engine'
import type { RouteEvent, SettledRoute } from '../contract/route'

/** What a router says while it works. */
export type RouteProgress = Exclude<RouteEvent, SettledRoute>

/** 'waiting' until the first token; 'cut' at its greatest length; 'stopped' keeps what was answered so far. */
export type TurnState = 'waiting' | 'answering' | 'done' | 'cut' | 'stopped' | 'failed'

/** What is done for an answer beyond asking the model what was asked. */
export type TurnJob =
  /** Answers from the conversation's documents. */
  | { readonly type: 'documents' }
  /** Summarises one of them, by its id. */
  | { readonly type: 'summary'; readonly document: string }
  | { readonly type: 'preset'; readonly id: string; readonly values: Readonly<Record<string, string>> }

/** A question and its answer. Turns form a tree: an edited question and another answer are siblings. */
export interface Turn {
  readonly id: string
  /** Id of the conversation. */
  readonly conversation: string
  /** The turn before; null for the first of a conversation. */
  readonly parent: string | null
  /** When it was asked, in milliseconds since 1970. */
  readonly at: number
  readonly question: string
  answer: string
  /** A reader put other words in its place. */
  corrected: boolean
  state: TurnState
  /** The newest word of the router on this turn, until it is settled. */
  progress: RouteProgress | null
  /** Whose answer it is, and why; null until it is settled. */
  route: SettledRoute | null
  usage: Usage | null
  /** Turns before it that there was no room for when it was asked. */
  skipped: number
  /** The answer's tokens with their probabilities, where they were asked for and are known; never stored. */
  tokens: TokenLogprob[] | null
  /** null: the question is asked as it is. */
  readonly job: TurnJob | null
  /** Passages of documents that were read for it; what it cites, it names as "[label]". */
  citations: Citation[]
  /** How far a job of many steps is; null: there are none, or they are done. Never stored. */
  steps: StepProgress | null
  /** What a preset's check found; null: nothing. */
  fault: string | null
  /** What its reader thinks of the answer. */
  said: 'up' | 'down' | null
}

export function newTurn(
  question: string,
  conversation: string,
  parent: string | null,
  job: TurnJob | null = null,
): Turn {
  return {
    id: crypto.randomUUID(),
    conversation,
    parent,
    at: Date.now(),
    question,
    answer: '',
    corrected: false,
    state: 'waiting',
    progress: null,
    route: null,
    usage: null,
    skipped: 0,
    tokens: null,
    job,
    citations: [],
    steps: null,
    fault: null,
    said: null,
  }
}

export function isUnderWay({ state }: Pick<Turn, 'state'>): boolean {
  return state === 'waiting' || state === 'answering'
}

/** Whether there is more to be had of this answer, and the model of this device can go on with it. */
export function canContinue({ state, answer, route, job }: Turn): boolean {
  const kind = route?.source.kind
  const isOurs = job === null && kind !== 'remote' && kind !== 'cache'
  return (state === 'cut' || state === 'stopped') && answer !== '' && isOurs
}
