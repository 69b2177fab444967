import type { TextMessage } from '../contract/chat-messages'
import type { Turn } from './turn'

/** What the engine is to read for the last turn. */
export interface Reading {
  readonly messages: TextMessage[]
  /** Turns that there was no room for, the oldest. */
  readonly skipped: number
}

/**
 * The conversation as the engine takes it. Turns that failed before their answer are left out, and of a long conversation
 * the oldest: as many that half of `room` is free then, so that the next turns begin alike and are found in the cache.
 * @param room tokens for system message, turns and question, by `tokensOf`
 */
export function toMessages(system: string, turns: readonly Turn[], room: number): Reading {
  const last = turns.at(-1)
  if (last === undefined) return { messages: [], skipped: 0 }
  const earlier = turns.slice(0, -1).filter(({ answer }) => answer !== '')
  const sizes = earlier.map(({ question, answer }) => tokensOf(question) + tokensOf(answer))
  const excess = sum(sizes) - (room - tokensOf(system) - tokensOf(last.question))
  const step = Math.max(1, room / 2)
  const dropped = excess <= 0 ? 0 : Math.ceil(excess / step) * step
  let skipped = 0
  for (let tokens = 0; tokens < dropped && skipped < earlier.length; skipped++) tokens += sizes[skipped] ?? 0
  const messages: TextMessage[] = system === '' ? [] : [{ role: 'system', content: system }]
  for (const { question, answer } of earlier.slice(skipped)) {
    messages.push({ role: 'user', content: question }, { role: 'assistant', content: answer })
  }
  messages.push({ role: 'user', content: last.question })
  return { messages, skipped }
}

/** Rather more than less, and quick: three ASCII characters a token, others more than one; and what stands between messages. */
function tokensOf(text: string): number {
  // oxlint-disable-next-line no-control-regex -- ASCII is just that.
  const perCharacter = /^[\u0000-\u007f]*$/.test(text) ? 1 / 3 : 1.2
  return Math.ceil(text.length * perCharacter) + 8
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
