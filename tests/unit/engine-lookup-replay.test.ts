import { beforeAll, describe, expect, it } from 'vitest'
import type { ChatCompletion } from '../../src/contract/engine'
import { createLocalEngine } from '../../src/engine/local-engine'
import { createMockBackend } from '../../src/testing/index'
import recorded from '../fixtures/lookup.json'
import { mix, user } from './engine-harness'

/** Steps of 1, 2, … 16 tokens in steps of one, as measured in WASM on an x86 CPU: tiles of four tokens. */
const ONE_THREAD = [1, 1.65, 2.06, 2.09, 2.91, 3.67, 4.3, 4.19, 4.9, 5.5, 6, 6.22, 7, 7.6, 8.2, 8.42]
/** Where memory limits a single token more than arithmetic limits a tile. */
const CHEAP_TILES = ONE_THREAD.map((cost) => 1 + (cost - 1) * 0.73)

interface Case {
  name: string
  prompt: number[]
  answer: number[]
}

/** Tokens renumbered, so that rows of logits are short. */
const numbers = new Map<number, number>()
const ids = (text: string): number[] =>
  text.split(' ').map((id) => {
    const number = numbers.get(Number(id)) ?? numbers.size
    numbers.set(Number(id), number)
    return number
  })
const cases: Case[] = recorded.cases.map(({ name, prompt, answer }) => ({
  name,
  prompt: ids(prompt),
  answer: ids(answer),
}))
const endOfGeneration = new Set(recorded.endOfTurn.flatMap((id) => numbers.get(id) ?? []))

interface Replay {
  name: string
  gain: number
  withoutMs: number
  withMs: number
}

/** Answers every case with and without lookup in an engine whose model says what was recorded, by a clock of `costs`. */
async function replay(costs: readonly number[], disturbance: (step: number) => number): Promise<Replay[]> {
  let clockMs = 0
  let steps = 0
  let current = cases[0]!
  const backend = createMockBackend({
    vocabularySize: numbers.size,
    beforeForward: ({ tokens }) => (clockMs += 5 * (costs[tokens.length - 1] ?? 1) * disturbance(steps++)),
    logits: (tokens) => {
      const row = new Float32Array(numbers.size)
      row[current.answer[tokens.length - current.prompt.length] ?? 0] = 9
      return row
    },
  })
  const engine = createLocalEngine({
    id: 'recorded',
    backend,
    tokenizer: {
      vocabularySize: numbers.size,
      endOfGeneration,
      bytesOf: (id) => new TextEncoder().encode(`${id} `),
      createDetokenizer: () => ({ push: (id) => `${id} `, flush: () => '' }),
    },
    chatTemplate: { encode: () => current.prompt },
    contextLength: 1024,
    now: () => clockMs,
  })
  const ask = (promptLookup: boolean): Promise<ChatCompletion> =>
    engine.chat.completions.create({
      messages: [user('')],
      max_tokens: 128,
      temperature: 0,
      minnow: { promptLookup },
    })
  const replays: Replay[] = []
  for (current of cases) {
    const plain = await ask(false)
    const lookup = await ask(true)
    expect(lookup.choices).toEqual(plain.choices)
    const withoutMs = plain.usage.minnow.decodeMs
    const withMs = lookup.usage.minnow.decodeMs
    replays.push({ name: current.name, gain: withoutMs / withMs, withoutMs, withMs })
  }
  await engine.dispose()
  return replays
}

/** As bench/summary.ts reckons it. */
function totalGain(replays: readonly Replay[]): number {
  const quoting = replays.filter(({ name }) => !name.startsWith('open-'))
  const total = (key: 'withMs' | 'withoutMs'): number => quoting.reduce((sum, one) => sum + one[key], 0)
  return total('withoutMs') / total('withMs')
}

/**
 * Least steps for an answer, by `costs`, for who knows it beforehand but may draft only what followed its last token
 * somewhere before: no lookup can do better.
 */
function oracleSteps({ prompt, answer }: Case, costs: readonly number[]): number {
  const all = [...prompt, ...answer]
  // After i tokens of the answer.
  const least = new Float64Array(answer.length + 1)
  for (let known = answer.length - 1; known >= 1; known--) {
    const end = prompt.length + known
    let longest = 0
    for (let place = 1; place < end; place++) {
      if (all[place - 1] !== all[end - 1]) continue
      let agreed = 0
      while (end + agreed < all.length && all[place + agreed] === all[end + agreed]) agreed++
      longest = Math.max(longest, agreed)
    }
    least[known] = Infinity
    for (let draft = 0; draft <= Math.min(longest, 15, answer.length - known - 1); draft++) {
      least[known] = Math.min(least[known]!, costs[draft]! + least[known + draft + 1]!)
    }
  }
  return least[1]!
}

describe('prompt lookup on recorded answers', () => {
  let oneThread: Replay[]
  let cheapTiles: Replay[]
  beforeAll(async () => {
    oneThread = await replay(ONE_THREAD, () => 1)
    cheapTiles = await replay(CHEAP_TILES, () => 1)
  })

  it('gains on texts to summarise and quote', () => {
    expect(totalGain(oneThread)).toBeGreaterThan(1.3)
    expect(totalGain(cheapTiles)).toBeGreaterThan(1.45)
  })

  it('gains most of what an oracle would', () => {
    const quoting = cases.filter(({ name }) => !name.startsWith('open-'))
    for (const [costs, replays] of [
      [ONE_THREAD, oneThread],
      [CHEAP_TILES, cheapTiles],
    ] as const) {
      const plain = quoting.reduce((sum, { answer }) => sum + answer.length - 1, 0)
      const oracle = plain / quoting.reduce((sum, one) => sum + oracleSteps(one, costs), 0)
      expect(totalGain(replays)).toBeLessThan(oracle)
      expect(totalGain(replays) / oracle).toBeGreaterThan(0.8)
    }
  })

  it('loses next to nothing where answers quote little', () => {
    for (const { name, gain } of [...oneThread, ...cheapTiles]) expect(gain, name).toBeGreaterThan(0.95)
  })

  it('gains where other programs take the processor now and then', async () => {
    const disturbed = await replay(ONE_THREAD, (step) => (mix(step) % 13 === 0 ? 4 : 1))
    expect(totalGain(disturbed)).toBeGreaterThan(1.25)
  })
})
