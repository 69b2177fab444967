import type { TokenLogprob, Usage } from '../contract/engine'
import type { RouteEvent, SettledRoute } from '../contract/route'

/** What a router says while it works. */
export type RouteProgress = Exclude<RouteEvent, SettledRoute>

/** 'waiting' until the first token; 'cut' at its greatest length; 'stopped' keeps what was answered so far. */
export type TurnState = 'waiting' | 'answering' | 'done' | 'cut' | 'stopped' | 'failed'

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
  state: TurnState
  /** The newest word of the router on this turn, until it is settled. */
  progress: RouteProgress | null
  /** Whose answer it is, and why; null until it is settled. */
  route: SettledRoute | null
  usage: Usage | null
  /** The answer's tokens with their probabilities, where they were asked for and are known; never stored. */
  tokens: TokenLogprob[] | null
}

export function newTurn(question: string, conversation: string, parent: string | null): Turn {
  return {
    id: crypto.randomUUID(),
    conversation,
    parent,
    at: Date.now(),
    question,
    answer: '',
    state: 'waiting',
    progress: null,
    route: null,
    usage: null,
    tokens: null,
  }
}

export function isUnderWay({ state }: Pick<Turn, 'state'>): boolean {
  return state === 'waiting' || state === 'answering'
}

/** Whether there is more to be had of this answer, and the model of this device can go on with it. */
export function canContinue({ state, answer, route }: Turn): boolean {
  const kind = route?.source.kind
  return (state === 'cut' || state === 'stopped') && answer !== '' && kind !== 'remote' && kind !== 'cache'
}
