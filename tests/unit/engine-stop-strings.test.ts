import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StopStringMatcher } from '../../src/engine/stop-strings'
import { createHarness, says, user } from './engine-harness'

/** The text before the stop string that is complete first, the longest of those; null where none is. */
function naiveCut(text: string, stops: readonly string[]): string | null {
  for (let end = 1; end <= text.length; end++) {
    const ending = stops.filter((stop) => text.slice(0, end).endsWith(stop))
    if (ending.length > 0) return text.slice(0, end - Math.max(...ending.map((stop) => stop.length)))
  }
  return null
}

const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 30 })
const stopLists = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 5 }), {
  maxLength: 3,
})

describe('stop strings', () => {
  it('are found however the text is cut, and nothing of them is given out', () => {
    fc.assert(
      fc.property(letters, stopLists, fc.array(fc.integer({ min: 0, max: 4 })), (text, stops, sizes) => {
        const matcher = new StopStringMatcher(stops)
        let given = ''
        let rest = text
        for (const size of [...sizes, text.length]) {
          given += matcher.push(rest.slice(0, size))
          rest = rest.slice(size)
          // What is out must be what would be out, whatever came next.
          expect((naiveCut(text, stops) ?? text).startsWith(given)).toBe(true)
        }
        given += matcher.flush()
        const cut = naiveCut(text, stops)
        expect(matcher.stopped).toBe(cut !== null)
        expect(given).toBe(cut ?? text)
      }),
      { numRuns: 2000 },
    )
  })

  it('hold back no more than may become a stop string', () => {
    const matcher = new StopStringMatcher(['STOP'])
    expect(matcher.push('abcS')).toBe('abc')
    expect(matcher.push('TO')).toBe('')
    expect(matcher.push('X')).toBe('STOX')
  })

  it('end an answer across tokens, with the reason stop', async () => {
    const { engine } = createHarness({ logits: says('one two END three') })
    const completion = await engine.chat.completions.create({
      messages: [user('count')],
      temperature: 0,
      stop: [' END', 'three'],
      logprobs: true,
      minnow: { tokenIds: true },
    })
    expect(completion.choices[0]).toMatchObject({ message: { content: 'one two' }, finish_reason: 'stop' })
    expect(completion.minnow?.tokenIds).toHaveLength(7)
    expect(completion.choices[0]?.logprobs?.content.map(({ token }) => token).join('')).toBe('one two')
    expect(completion.usage.completion_tokens).toBe(11)
    await engine.dispose()
  })

  it('give out what was held back when the answer ends otherwise', async () => {
    const { engine } = createHarness({ logits: says('half EN') })
    const ended = await engine.chat.completions.create({ messages: [user('x')], temperature: 0, stop: 'END' })
    expect(ended.choices[0]?.message.content).toBe('half EN')
    const cut = await engine.chat.completions.create({
      messages: [user('x')],
      temperature: 0,
      stop: 'END',
      max_tokens: 6,
    })
    expect(cut.choices[0]).toMatchObject({ message: { content: 'half E' }, finish_reason: 'length' })
    await engine.dispose()
  })

  it('replace half a character at the end', async () => {
    const { engine } = createHarness({ logits: says('añ') })
    const cut = await engine.chat.completions.create({ messages: [user('x')], temperature: 0, max_tokens: 2 })
    expect(cut.choices[0]).toMatchObject({ message: { content: 'a\ufffd' }, finish_reason: 'length' })
    await engine.dispose()
  })
})
