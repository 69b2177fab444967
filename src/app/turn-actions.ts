import type { AnswerAction } from '../widget/answer-footer'
import type { Chat } from '../widget/chat'
import type { Turn } from '../widget/turn'
import type { TurnActionDetail, TurnList } from '../widget/turn-list'
import type { EscalationConnection } from './connect-escalation'

export interface TurnActionsOptions {
  chat: Chat
  turns: TurnList
  escalation: EscalationConnection
  /** Writes a turn down at once: what a visitor decides is not lost by leaving right after it. */
  keepNow(turn: Turn): void
}

/** Does what a visitor chose below a turn. */
export async function actOnTurn(
  { turn, action }: TurnActionDetail,
  { chat, turns, escalation, keepNow }: TurnActionsOptions,
): Promise<void> {
  switch (action.type) {
    case 'regenerate':
      return chat.regenerate(turn)
    case 'continue':
      return chat.continueAnswer(turn)
    case 'edit':
      return chat.edit(turn, action.question)
    case 'correct':
      return correct(action.answer)
    case 'answer':
      return judge(action.action)
    case 'previous':
    case 'next': {
      const siblings = chat.siblings(turn)
      const other = siblings[siblings.indexOf(turn) + (action.type === 'next' ? 1 : -1)]
      if (other !== undefined) chat.select(other)
    }
  }

  async function correct(answer: string): Promise<void> {
    chat.correct(turn, answer)
    keepNow(turn)
    if (turn.route !== null) await (await escalation.load()).feedback(turn.route, 'edit', answer)
  }

  async function judge(said: AnswerAction): Promise<void> {
    if (said !== 'ask-bigger') {
      turn.said = said
      turns.refresh(turn)
      keepNow(turn)
    }
    const loaded = await escalation.load()
    if (turn.route !== null) await loaded.feedback(turn.route, said)
    if (said !== 'ask-bigger') return
    if (loaded.hasRemote) await chat.askBigger(turn)
    else await loaded.showSettings()
  }
}
