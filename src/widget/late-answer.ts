import type { SettledRoute } from '../contract/route'
import { newTurn, type Turn } from './turn'
import type { TurnTree } from './turn-tree'

/** An answer to a question that had waited for the network. */
export interface LateAnswer {
  /** Of the question, as in its turn's route. */
  readonly id: string
  /** Id of the conversation it was asked in. */
  readonly conversation: string
  readonly question: string
  readonly answer: string
  readonly route: SettledRoute
}

/** The turn whose question had waited; undefined where it never was one, or another tab's is not known here. */
export function turnOfLate(tree: TurnTree, { id }: LateAnswer): Turn | undefined {
  return tree.all().find((turn) => turn.route?.id === id)
}

/** Puts it in the place of its turn, or as a new one after what is shown. */
export function takeLate(tree: TurnTree, late: LateAnswer): Turn {
  const { conversation, question, answer, route } = late
  const known = turnOfLate(tree, late)
  const turn = known ?? newTurn(question, conversation, tree.path().at(-1)?.id ?? null)
  Object.assign(turn, {
    answer,
    route,
    state: 'done',
    usage: null,
    tokens: null,
    said: null,
    corrected: false,
  })
  if (known === undefined) tree.add(turn)
  return turn
}
