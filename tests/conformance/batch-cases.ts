import { beforeAll, expect, it } from 'vitest'
import type { Backend, BackendSession, ForwardCall } from '../../src/backend/backend'
import { randomNumbers } from '../fixtures/random-weights'
import { expectSameRows, rowsOf, sentence } from './session-cases'

/** As many as an engine ever runs together, each with a text of its own. */
const sequences = Array.from({ length: 8 }, (_, i) => [...sentence.slice(i), ...sentence.slice(0, i)])

/** What holds for any backend that evaluates several sessions at once, to the bit. */
export function describeBatches(getBackend: () => Backend): void {
  let alone: Float32Array[][] // of each sequence, logits after each token
  beforeAll(async () => {
    alone = []
    for (const tokens of sequences) alone.push(await rowsOf(getBackend(), [tokens]))
  })

  const open = (count: number): BackendSession[] =>
    Array.from({ length: count }, () => getBackend().createSession({ contextLength: sentence.length }))

  const run = async (calls: readonly ForwardCall[]): Promise<Float32Array[][]> =>
    (await getBackend().forwardMany!(calls)).map((rows) => rows.map((row) => row.values().slice()))

  it.each([1, 2, 3, 4, 5, 8])('gives %i sequences the bits that each has alone', async (count) => {
    const sessions = open(count)
    const random = randomNumbers(count)
    const upTo = (most: number): number => Math.floor(random() * (most + 1))
    while (sessions.some(({ length }) => length < sentence.length)) {
      // Of each sequence none to seven tokens, and the logits of some of them.
      const plan = sessions.flatMap((session, index) => {
        const from = session.length
        const tokens = sequences[index]!.slice(from, from + upTo(7))
        return tokens.length === 0 ? [] : [{ session, index, from, tokens, outputs: upTo(tokens.length) }]
      })
      if (plan.length === 0) continue
      const rows = await run(
        plan.map(({ session, tokens, outputs }) => ({ session, tokens, options: { outputs } })),
      )
      for (const [i, { index, from, tokens, outputs, session }] of plan.entries()) {
        const to = from + tokens.length
        expect(session.length).toBe(to)
        expectSameRows(rows[i]!, alone[index]!.slice(to - outputs, to))
      }
    }
    for (const session of sessions) session.dispose()
  })

  it('gives each its argmax, log of the sum of exponentials and hidden state', async () => {
    const sessions = open(3)
    const together = await getBackend().forwardMany!(
      sessions.map((session, i) => ({ session, tokens: sequences[i]!.slice(0, i + 1) })),
    )
    const read = together.map(([row]) => [row!.argmax, row!.logSumExp, ...row!.hidden()])
    for (const [i, session] of sessions.entries()) {
      session.truncate(0)
      const [row] = await session.forward(sequences[i]!.slice(0, i + 1))
      expect(read[i]).toEqual([row!.argmax, row!.logSumExp, ...row!.hidden()])
      session.dispose()
    }
  })

  it('refuses as a whole what one session would refuse, and changes none', async () => {
    const [one, two] = open(2) as [BackendSession, BackendSession]
    await run([
      { session: one, tokens: sequences[0]!.slice(0, 4) },
      { session: two, tokens: sequences[1]!.slice(0, 2) },
    ])
    const fine = { session: one, tokens: sequences[0]!.slice(4, 6) }
    const invalid = { code: 'invalid-argument' }
    const { maxBatch } = getBackend()
    const backend = getBackend()
    await expect(backend.forwardMany!([fine, { session: two, tokens: [-1] }])).rejects.toMatchObject(invalid)
    await expect(backend.forwardMany!([fine, fine])).rejects.toMatchObject(invalid)
    await expect(backend.forwardMany!([])).rejects.toMatchObject(invalid)
    const tooMany = { session: two, tokens: Array.from({ length: maxBatch }, () => 1) }
    await expect(backend.forwardMany!([fine, tooMany])).rejects.toMatchObject(invalid)
    const overflow = { session: two, tokens: [...sentence] }
    await expect(backend.forwardMany!([fine, overflow])).rejects.toMatchObject({ code: 'context-overflow' })
    const closed = open(1)[0]!
    closed.dispose()
    await expect(backend.forwardMany!([fine, { session: closed, tokens: [1] }])).rejects.toMatchObject(
      invalid,
    )
    expect([one.length, two.length]).toEqual([4, 2])
    const rows = await run([fine, { session: two, tokens: sequences[1]!.slice(2, 3) }])
    expectSameRows(rows.flat(), [alone[0]![5]!, alone[1]![2]!])
    one.dispose()
    two.dispose()
  })

  it('copies the beginning of a session into another, which then goes its own way', async () => {
    const [one, two] = open(2) as [BackendSession, BackendSession]
    await one.forward(sequences[0]!.slice(0, 9))
    await two.forward(sequences[1]!.slice(0, 12))
    two.copyFrom!(one, 6)
    expect([one.length, two.length]).toEqual([9, 6])
    const other = [...sequences[0]!.slice(0, 6), ...sequences[2]!.slice(0, 3)]
    const rows = await run([
      { session: one, tokens: sequences[0]!.slice(9, 11) },
      { session: two, tokens: other.slice(6), options: { outputs: 3 } },
    ])
    expectSameRows(rows[0]!, [alone[0]![10]!])
    expectSameRows(rows[1]!, (await rowsOf(getBackend(), [other])).slice(6))
    one.dispose()
    expect((await two.forward([sequences[2]![3]!])).length).toBe(1)
    two.dispose()
  })

  it('refuses to copy what is not there', async () => {
    const [one, two] = open(2) as [BackendSession, BackendSession]
    await one.forward(sequences[0]!.slice(0, 3))
    for (const [other, length] of [
      [one, 4],
      [one, -1],
      [one, 0.5],
      [two, 0],
    ] as const) {
      expect(() => two.copyFrom!(other, length)).toThrow(/copyFrom\(\)/)
    }
    expect(two.length).toBe(0)
    one.dispose()
    two.dispose()
  })
}
