import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend, BackendSession, LoadBackend } from '../../src/backend/backend'
import { isEngineError } from '../../src/contract/error'
import { AgreementCounter, logSoftmax, type Agreement } from './agreement'
import { openSmolLm2, type OpenModel } from './model-files'
import { loadNative } from './native'
import { decodeRecording, type Recording } from './recording'

/** What a backend must reach against something else. */
export interface AgreementBound {
  /** Least share of steps, near-ties apart, with the same likeliest token. */
  readonly top1ApartFromNearTies: number
  /** Most mean KL divergence a step, in nats. */
  readonly meanKl: number
}

export interface BackendExpectations {
  /** Loaded once with each; all must give the same bits. The first runs the other cases. */
  readonly threads: readonly number[]
  /** How many of the 20 recorded prompts (64 steps each) are run. Default: all. */
  readonly recordedPrompts?: number
  readonly againstNative: AgreementBound
  readonly againstReference: AgreementBound
}

/** Every backend runs this suite, on the real model that comes with Minnow. */
export function describeBackend(name: string, load: LoadBackend, expectations: BackendExpectations): void {
  const [firstThreads = 1, ...otherThreads] = expectations.threads
  describeForcedDecoding(name, load, expectations)

  describe(`${name} backend, SmolLM2 135M Q4_1`, () => {
    let opened: OpenModel
    let backend: Backend
    beforeAll(async () => {
      opened = await openSmolLm2()
      backend = await loadWith(firstThreads)
    })
    afterAll(() => backend?.dispose())

    const loadWith = (threads: number): Promise<Backend> =>
      load({ model: opened.model, bytes: opened.bytes, threads })

    describe('sessions', () => {
      describeSessions(() => backend)
    })

    it.each(otherThreads)(`gives the same bits on %i threads as on ${firstThreads}`, async (threads) => {
      const other = await loadWith(threads)
      const tokens = sentence
      expectSameRows(
        await logprobsOf(other, tokens, tokens.length),
        await logprobsOf(backend, tokens, tokens.length),
      )
      other.dispose()
    })

    it('refuses use after dispose', async () => {
      const other = await loadWith(firstThreads)
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
      const loading = load({
        model: opened.model,
        bytes: opened.bytes,
        signal: controller.signal,
        onProgress: () => controller.abort(reason),
      })
      await expect(loading).rejects.toBe(reason)
    })
  })
}

/** Tokens are given, and what a backend expects after each is compared with what others expect there. */
export function describeForcedDecoding(
  name: string,
  load: LoadBackend,
  { threads, recordedPrompts, againstNative, againstReference }: BackendExpectations,
): void {
  describe(`${name} backend, forced decoding of SmolLM2 135M Q4_1`, () => {
    let opened: OpenModel
    let native: Recording
    let reference: Recording
    /** For each recorded prompt run, log-probabilities at each of its steps. */
    let rows: Float32Array[][]
    beforeAll(async () => {
      opened = await openSmolLm2()
      native = await readRecording('native')
      reference = await readRecording('reference')
      const backend = await load({ model: opened.model, bytes: opened.bytes, threads: threads[0] })
      rows = []
      for (const { tokens, steps } of native.cases.slice(0, recordedPrompts)) {
        rows.push(await logprobsOf(backend, tokens.slice(0, -1), steps.length))
      }
      backend.dispose()
    })

    it('agrees with the recording of native llama.cpp', () => {
      const missed = shortfalls(`${name} against llama.cpp, recorded`, compare(native), againstNative)
      expect(missed).toEqual([])
    })

    it('agrees with the recording of the reference', () => {
      expect(
        reference.cases.map(({ tokens }) => tokens),
        'the reference was recorded over other tokens: record it again',
      ).toEqual(native.cases.map(({ tokens }) => tokens))
      const missed = shortfalls(
        `${name} against the reference, recorded`,
        compare(reference),
        againstReference,
      )
      expect(missed).toEqual([])
    })

    it('agrees with llama.cpp, run now, over the whole vocabulary', async () => {
      const live = await loadNative(opened.path)
      const counter = new AgreementCounter()
      for (const [i, { tokens, firstStep }] of native.cases.slice(0, Math.min(2, rows.length)).entries()) {
        const base = await live.logprobs(tokens.slice(0, firstStep + 24), { from: firstStep })
        base.forEach((logprobs, step) => counter.add({ ids: null, logprobs }, rows[i]![step]!))
      }
      await live.dispose()
      expect(shortfalls(`${name} against llama.cpp, live`, counter.result(), againstNative)).toEqual([])
    })

    const compare = (recording: Recording): Agreement => {
      expect(recording.model, 'the recording is of another model: record it again').toBe(opened.sha256)
      const counter = new AgreementCounter()
      rows.forEach((ofPrompt, i) => {
        const { steps } = recording.cases[i]!
        expect(ofPrompt.length).toBe(steps.length)
        steps.forEach((step, s) => counter.add(step, ofPrompt[s]!))
      })
      return counter.result()
    }
  })
}

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
const sentence: readonly number[] = [
  248, 247, 26, 41, 58, 130, 28, 28, 4, 192, 26, 199, 58, 5, 1, 0, 17, 248, 247, 30,
]

async function rowsOf(backend: Backend, calls: readonly (readonly number[])[]): Promise<Float32Array[]> {
  const total = calls.reduce((sum, call) => sum + call.length, 0)
  const session = backend.createSession({ contextLength: total })
  const rows: Float32Array[] = []
  for (const call of calls) {
    for (const logits of await session.forward(call, { outputs: call.length })) rows.push(copyOf(logits))
  }
  session.dispose()
  return rows
}

/** Log-probabilities after each of the last `outputs` tokens. */
export async function logprobsOf(
  backend: Backend,
  tokens: readonly number[],
  outputs: number,
): Promise<Float32Array[]> {
  const session = backend.createSession({ contextLength: tokens.length })
  const rows = await forwardInBatches(session, backend.maxBatch, tokens, outputs)
  session.dispose()
  return rows
}

async function forwardInBatches(
  session: BackendSession,
  maxBatch: number,
  tokens: readonly number[],
  outputs: number,
): Promise<Float32Array[]> {
  const rows: Float32Array[] = []
  for (let at = 0; at < tokens.length; at += maxBatch) {
    const batch = tokens.slice(at, at + maxBatch)
    const wanted = Math.min(batch.length, Math.max(0, at + batch.length - (tokens.length - outputs)))
    for (const logits of await session.forward(batch, { outputs: wanted })) {
      rows.push(logSoftmax(logits.values(), logits.logSumExp))
    }
  }
  return rows
}

/** Prints the figures and gives, in words, which of them miss the bound. */
export function shortfalls(what: string, agreement: Agreement, bound: AgreementBound): string[] {
  const { steps, top1, top1ApartFromNearTies, nearTies, meanKl, maxKl } = agreement
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`
  console.info(
    `${what}: ${steps} steps, top-1 ${percent(top1)}, ${percent(top1ApartFromNearTies)} apart from ` +
      `${nearTies} near-ties, KL mean ${meanKl.toExponential(2)}, max ${maxKl.toExponential(2)}`,
  )
  const missed: string[] = []
  // Written so that a NaN misses too.
  if (!(top1ApartFromNearTies >= bound.top1ApartFromNearTies)) {
    missed.push(`top-1 ${percent(top1ApartFromNearTies)} for ${percent(bound.top1ApartFromNearTies)}`)
  }
  if (!(meanKl <= bound.meanKl)) missed.push(`mean KL ${meanKl} for ${bound.meanKl}`)
  return missed
}

/** To the bit. Says where rows differ first: printing whole rows would help nobody. */
function expectSameRows(got: readonly Float32Array[], wanted: readonly Float32Array[]): void {
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

async function readRecording(name: 'native' | 'reference'): Promise<Recording> {
  const path = new URL(`./recorded/smollm2-${name}.json`, import.meta.url)
  return decodeRecording(await readFile(path, 'utf8'))
}
