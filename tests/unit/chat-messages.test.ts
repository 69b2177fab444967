import { describe, expect, it } from 'vitest'
import { toMessages } from '../../src/widget/chat-messages'
import { newTurn, type Turn } from '../../src/widget/turn'

function turn(question: string, answer: string): Turn {
  return { ...newTurn(question, 'conversation', null), answer }
}

describe('toMessages()', () => {
  it('leaves out turns without an answer, and an empty system message', () => {
    const turns = [turn('a', 'A'), turn('b', ''), turn('c', '')]
    expect(toMessages('', turns, 1000)).toEqual({
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'A' },
        { role: 'user', content: 'c' },
      ],
      skipped: 0,
    })
  })

  it('drops the oldest turns of a long conversation, many at a time, and never more than the room', () => {
    const turns = Array.from({ length: 300 }, (_, index) => turn(`question ${index}`, 'word '.repeat(30)))
    const skips = turns.map((_, index) => toMessages('Be brief.', turns.slice(0, index + 1), 1500))
    for (const { messages } of skips) {
      expect(messages[0]).toEqual({ role: 'system', content: 'Be brief.' })
      const length = messages.reduce((total, { content }) => total + content.length / 3 + 8, 0)
      expect(length).toBeLessThanOrEqual(1500)
    }
    // The beginning changes seldom.
    expect(new Set(skips.map(({ skipped }) => skipped)).size).toBeLessThan(40)
    expect(skips.at(-1)!.messages.length).toBeGreaterThan(12)
  })

  it('keeps a question that is too long by itself: the engine says so', () => {
    const turns = [turn('a', 'A'), turn('x'.repeat(9000), '')]
    expect(toMessages('', turns, 1000)).toMatchObject({
      messages: [{ content: 'x'.repeat(9000) }],
      skipped: 1,
    })
  })
})
