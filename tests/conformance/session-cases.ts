import { beforeAll, expect, it } from 'vitest'
import type { Backend, LoadOptions } from '../../src/backend/backend'
import { isEngineError } from '../../src/contract/error'

/** What holds for any backend and any model, to the bit. */
export function describeSessions(getBackend: () => Backend): void {
  const tokens = sentence
  let whole: Float32Array[] // logits after each token, all given in one call
  beforeAll(async () => {
    whole = await rowsOf(getBackend(), [tokens])
  })

  it('counts the tokens it holds', async () => {
    const session = getBackend().createSession({ contextLength: 32 })
    expect(session.contextLength).toBe(32)
    expect(session.length).toBe(0)
    await session.forward(tokens.slice(0, 3))
    await session.forward(tokens.slice(3, 4))
    expect(session.length).toBe(4)
    session.dispose()
  })

  it('gives finite logits, their true argmax and log of the sum of exponentials', async () => {
    const session = getBackend().createSession({ contextLength: 32 })
    for (const logits of await session.forward(tokens, { outputs: 3 })) {
      const values = logits.values()
      let first = 0
      let sum = 0
      for (let i = 0; i < values.length; i++) if (values[i]! > values[first]!) first = i
      for (const value of values) sum += Math.exp(value - values[first]!)
      expect(values.every(Number.isFinite)).toBe(true)
      expect(logits.argmax).toBe(first)
      expect(logits.logSumExp).toBeCloseTo(values[first]! + Math.log(sum), 4)
    }
    session.dispose()
  })

  it('gives the margin of the best two and the entropy', async () => {
    const session = getBackend().createSession({ contextLength: 32 })
    for (const logits of await session.forward(tokens, { outputs: 3 })) {
      const sorted = logits.values().toSorted((a, b) => b - a)
      const logSum = Math.log(sorted.reduce((sum, value) => sum + Math.exp(value - sorted[0]!), 0))
      const entropy = sorted.reduce((sum, value) => {
        const logprob = value - sorted[0]! - logSum
        return sum - Math.exp(logprob) * logprob
      }, 0)
      expect(logits.margin).toBeCloseTo(sorted[0]! - sorted[1]!, 6)
      expect(logits.entropy).toBeCloseTo(entropy, 4)
    }
    session.dispose()
  })

  it('gives the hidden state of each output, the same bits however tokens come', async () => {
    const session = getBackend().createSession({ contextLength: 32 })
    const together = (await session.forward(tokens, { outputs: 2 })).map((logits) => logits.hidden())
    session.truncate(tokens.length - 2)
    for (const [index, hidden] of together.entries()) {
      const [alone] = await session.forward([tokens.at(index - 2)!])
      expect(hidden.every(Number.isFinite)).toBe(true)
      expect(hidden.some((value) => value !== 0)).toBe(true)
      expectSameRows([alone!.hidden()], [hidden])
    }
    session.dispose()
  })

  it.each([[[1]], [[5, 1, 7, 2]], [[3, 16, 1]]])(
    'gives the same bits when tokens come in calls of %j',
    async (sizes) => {
      const calls: number[][] = []
      for (let at = 0, i = 0; at < tokens.length; i++) {
        const size = sizes[i % sizes.length]!
        calls.push(tokens.slice(at, at + size))
        at += size
      }
      expectSameRows(await rowsOf(getBackend(), calls), whole)
    },
  )

  it('gives the outputs asked for, the last ones, oldest first', async () => {
    const session = getBackend().createSession({ contextLength: 64 })
    expect(await session.forward(tokens.slice(0, 5), { outputs: 0 })).toEqual([])
    const rows = await session.forward(tokens.slice(5, 12), { outputs: 3 })
    expectSameRows(rows.map(copyOf), whole.slice(9, 12))
    expect((await session.forward(tokens.slice(12, 14))).length).toBe(1)
    session.dispose()
  })

  it('gives the same bits after truncate and replay', async () => {
    const session = getBackend().createSession({ contextLength: 64 })
    await session.forward(tokens.slice(0, 8))
    await session.forward(tokens.slice(0, 6).toReversed())
    session.truncate(8)
    expect(session.length).toBe(8)
    const rows = await session.forward(tokens.slice(8), { outputs: tokens.length - 8 })
    expectSameRows(rows.map(copyOf), whole.slice(8))
    session.truncate(0)
    expectSameRows((await session.forward(tokens, { outputs: tokens.length })).map(copyOf), whole)
    session.dispose()
  })

  it('keeps two sessions apart', async () => {
    const one = getBackend().createSession({ contextLength: 32 })
    const two = getBackend().createSession({ contextLength: 32 })
    await one.forward(tokens.slice(0, 9))
    await two.forward(tokens.toReversed())
    expectSameRows((await one.forward(tokens.slice(9, 10))).map(copyOf), whole.slice(9, 10))
    one.dispose()
    two.truncate(0)
    expectSameRows((await two.forward(tokens.slice(0, 4))).map(copyOf), whole.slice(3, 4))
    two.dispose()
  })

  it('refuses more than the context and stays as it was', async () => {
    const session = getBackend().createSession({ contextLength: 12 })
    await session.forward(tokens.slice(0, 8))
    await expect(session.forward(tokens.slice(8, 13))).rejects.toMatchObject({ code: 'context-overflow' })
    expect(session.length).toBe(8)
    const rows = await session.forward(tokens.slice(8, 12), { outputs: 4 })
    expectSameRows(rows.map(copyOf), whole.slice(8, 12))
    await expect(session.forward([tokens[0]!])).rejects.toMatchObject({ code: 'context-overflow' })
    session.dispose()
  })

  it('refuses arguments that make no sense and stays as it was', async () => {
    const session = getBackend().createSession({ contextLength: 32 })
    await session.forward(tokens.slice(0, 4))
    const vocabularySize = whole[0]!.length
    for (const wrong of [[], [-1], [vocabularySize], [0.5], [tokens[0]!, Number.NaN]]) {
      await expect(session.forward(wrong)).rejects.toMatchObject({ code: 'invalid-argument' })
    }
    for (const outputs of [-1, 3, 0.5]) {
      const call = session.forward(tokens.slice(4, 6), { outputs })
      await expect(call).rejects.toMatchObject({ code: 'invalid-argument' })
    }
    const invalid = 'invalid-argument'
    for (const length of [-1, 5, 1.5]) expect(codeOf(() => session.truncate(length))).toBe(invalid)
    for (const [from, to] of [
      [-1, 2],
      [3, 2],
      [0, 5],
    ] as const) {
      expect(codeOf(() => session.shift(from, to))).toBe(invalid)
    }
    expect(codeOf(() => getBackend().createSession({ contextLength: 0 }))).toBe(invalid)
    expect(session.length).toBe(4)
    expectSameRows((await session.forward(tokens.slice(4, 5))).map(copyOf), whole.slice(4, 5))
    session.dispose()
  })

  it('shifts nothing where the range is empty, and at the end as truncate does', async () => {
    const session = getBackend().createSession({ contextLength: 32 })
    await session.forward(tokens.slice(0, 8))
    session.shift(3, 3)
    session.shift(6, 8)
    expect(session.length).toBe(6)
    expectSameRows((await session.forward(tokens.slice(6, 7))).map(copyOf), whole.slice(6, 7))
    session.dispose()
  })
}

/** Ids that the smallest vocabulary the suite runs on (256) has too. Some come twice. */
export const sentence: readonly number[] = [
  248, 247, 26, 41, 58, 130, 28, 28, 4, 192, 26, 199, 58, 5, 1, 0, 17, 248, 247, 30,
]

export async function rowsOf(
  backend: Backend,
  calls: readonly (readonly number[])[],
): Promise<Float32Array[]> {
  const total = calls.reduce((sum, call) => sum + call.length, 0)
  const session = backend.createSession({ contextLength: total })
  const rows: Float32Array[] = []
  for (const call of calls) {
    for (const logits of await session.forward(call, { outputs: call.length })) rows.push(copyOf(logits))
  }
  session.dispose()
  return rows
}

/** How a backend begins and ends. */
export function describeLifetime(load: (options?: Partial<LoadOptions>) => Promise<Backend>): void {
  it('refuses use after dispose', async () => {
    const other = await load()
    const session = other.createSession({ contextLength: 16 })
    const disposed = other.createSession({ contextLength: 16 })
    disposed.dispose()
    await expect(disposed.forward([1])).rejects.toMatchObject({ code: 'disposed' })
    expect(codeOf(() => disposed.truncate(0))).toBe('disposed')
    expect((await session.forward([1])).length).toBe(1)
    other.dispose()
    other.dispose()
    await expect(session.forward([1])).rejects.toMatchObject({ code: 'disposed' })
    expect(codeOf(() => other.createSession({ contextLength: 16 }))).toBe('disposed')
  })

  it('stops loading when its signal fires', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const loading = load({ signal: controller.signal, onProgress: () => controller.abort(reason) })
    await expect(loading).rejects.toBe(reason)
  })
}

/** To the bit. Says where rows differ first: printing whole rows would help nobody. */
export function expectSameRows(got: readonly Float32Array[], wanted: readonly Float32Array[]): void {
  expect(got.length).toBe(wanted.length)
  for (const [i, row] of wanted.entries()) {
    const other = got[i]!
    expect(other.length).toBe(row.length)
    const at = row.findIndex((value, id) => !Object.is(value, other[id]))
    expect(at === -1 ? 'same bits' : `row ${i}, id ${at}: ${other[at]} for ${row[at]}`).toBe('same bits')
  }
}

/** The code of the EngineError that `run` throws. */
function codeOf(run: () => void): unknown {
  try {
    run()
  } catch (error) {
    return isEngineError(error) ? error.code : error
  }
  return 'nothing thrown'
}

function copyOf(logits: { values(): Float32Array }): Float32Array {
  return logits.values().slice()
}
