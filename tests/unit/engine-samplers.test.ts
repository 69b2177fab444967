import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TOP_COUNT } from '../../src/backend/backend'
import { Candidates, selectByWeight } from '../../src/engine/sampling/candidates'
import { applyCountPenalties, applyRepetitionPenalty } from '../../src/engine/sampling/penalties'
import { createRandom } from '../../src/engine/sampling/random'
import { type RawLogits, Sampler } from '../../src/engine/sampling/sampler'
import type { SamplingSettings } from '../../src/engine/sampling/settings'
import { sumOfExponentials } from '../../src/engine/sampling/softmax'
import { selectTopK } from '../../src/engine/sampling/top-k'

const plain: SamplingSettings = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
  logitBias: new Map(),
  seed: 0,
}

function logitsOf(row: Float32Array): RawLogits {
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity)
  return {
    argmax: row.indexOf(largest),
    logSumExp: largest + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0)),
    values: () => row,
  }
}

/** The whole chain in double precision, with full sorts: what the sampler must agree with. */
function naiveSample(
  row: Float32Array,
  settings: SamplingSettings,
  history: { recent: readonly number[]; answer: readonly number[] },
  uniform: number,
): { token: number; nearBoundary: boolean } {
  const logits = Float32Array.from(row) // adjusted values are kept in single precision
  for (const [id, bias] of settings.logitBias) logits[id]! += bias
  for (const id of new Set(history.recent.slice(-64))) {
    const logit = logits[id]!
    logits[id] = logit > 0 ? logit / settings.repetitionPenalty : logit * settings.repetitionPenalty
  }
  for (const id of new Set(history.answer)) {
    const count = history.answer.filter((other) => other === id).length
    logits[id]! -= count * settings.frequencyPenalty + settings.presencePenalty
  }
  let kept = Array.from(logits, (logit, id) => ({ id, logit })).toSorted(
    (a, b) => b.logit - a.logit || a.id - b.id,
  )
  if (settings.temperature === 0) return { token: kept[0]!.id, nearBoundary: false }
  let nearBoundary = false
  if (settings.topK > 0) kept = kept.slice(0, settings.topK)
  const largest = kept[0]!.logit
  if (settings.topP < 1) {
    const weights = kept.map(({ logit }) => Math.exp(logit - largest))
    const target = settings.topP * weights.reduce((a, b) => a + b, 0)
    let count = 0
    for (let mass = 0; count < kept.length && mass < target; count++) {
      mass += weights[count]!
      nearBoundary ||= Math.abs(mass / target - 1) < 1e-6
    }
    kept = kept.slice(0, Math.max(1, count))
  }
  if (settings.minP > 0) {
    const threshold = largest + Math.log(settings.minP)
    nearBoundary ||= kept.some(({ logit }) => Math.abs(logit - threshold) < 1e-6)
    kept = kept.filter(({ logit }) => logit >= threshold)
  }
  const weights = kept.map(({ logit }) => Math.exp((logit - largest) / settings.temperature))
  const target = uniform * weights.reduce((a, b) => a + b, 0)
  let mass = 0
  for (const [index, { id }] of kept.entries()) {
    mass += weights[index]!
    nearBoundary ||= Math.abs(mass - target) < 1e-6 * mass
    if (mass >= target) return { token: id, nearBoundary }
  }
  return { token: kept.at(-1)!.id, nearBoundary: true }
}

/** Rows of logits, some with many equal values, some much peaked, some flat. */
const rows = fc
  .record({
    seed: fc.integer(),
    size: fc.integer({ min: 2, max: 600 }),
    spread: fc.constantFrom(0, 0.5, 4, 20, 60),
    steps: fc.constantFrom(0, 3),
  })
  .map(({ seed, size, spread, steps }) => {
    const random = createRandom(seed)
    return Float32Array.from({ length: size }, () => {
      const uniform = steps === 0 ? random.next() : Math.floor(random.next() * steps) / steps
      return uniform * spread - spread / 3
    })
  })

const choices = fc.record({
  temperature: fc.constantFrom(0, 0.1, 0.7, 1, 1, 1.5, 5),
  topK: fc.constantFrom(0, 0, 1, 2, 40, 1000),
  topP: fc.constantFrom(1, 1, 0, 0.1, 0.5, 0.9, 0.999),
  minP: fc.constantFrom(0, 0, 0.01, 0.1, 1),
  repetitionPenalty: fc.constantFrom(1, 1, 1.3, 0.7),
  frequencyPenalty: fc.constantFrom(0, 0, 0.5, -1),
  presencePenalty: fc.constantFrom(0, 0, 1.5, -1),
  biases: fc.array(fc.tuple(fc.nat(1), fc.integer({ min: -100, max: 100 })), { maxLength: 2 }),
  prompt: fc.array(fc.nat(1), { maxLength: 80 }),
  answer: fc.array(fc.nat(1), { maxLength: 80 }),
  seed: fc.integer(),
})

describe('the sampler', () => {
  it('agrees with a naive chain in double precision', () => {
    let compared = 0
    fc.assert(
      fc.property(rows, choices, fc.nat(), (row, { biases, prompt, answer, ...rest }, salt) => {
        const spread = (ids: readonly number[]): number[] =>
          ids.map((id, i) => (id * 7 + i * salt) % row.length)
        const settings = { ...rest, logitBias: new Map(biases.map(([id, bias]) => [id % row.length, bias])) }
        const sampler = new Sampler(settings)
        sampler.acceptPrompt(spread(prompt))
        for (const token of spread(answer)) sampler.accept(token)
        const token = sampler.sample(logitsOf(row))
        const uniform = createRandom(settings.seed).next()
        const history = { recent: [...spread(prompt), ...spread(answer)], answer: spread(answer) }
        const naive = naiveSample(row, settings, history, uniform)
        if (naive.nearBoundary) return
        compared++
        expect(token).toBe(naive.token)
      }),
      { numRuns: 3000 },
    )
    // Only draws within rounding of a boundary are left out.
    expect(compared).toBeGreaterThan(2000)
  })

  it('agrees with the naive chain over a large vocabulary', () => {
    let compared = 0
    const random = createRandom(5)
    const row = Float32Array.from(
      { length: 49_152 },
      () => 12 * (random.next() + random.next() + random.next()) - 18,
    )
    for (const settings of [
      plain,
      { ...plain, temperature: 0.7 },
      { ...plain, temperature: 2 },
      { ...plain, topP: 0.95 },
      { ...plain, topP: 0.9, temperature: 0.7, repetitionPenalty: 1.2 },
      { ...plain, topK: 40, topP: 0.95, minP: 0.05, temperature: 0.8 },
      { ...plain, minP: 0.02, temperature: 1.5 },
    ]) {
      for (let seed = 0; seed < 2; seed++) {
        const naive = naiveSample(row, settings, { recent: [], answer: [] }, createRandom(seed).next())
        if (naive.nearBoundary) continue
        compared++
        expect(new Sampler({ ...settings, seed }).sample(logitsOf(row))).toBe(naive.token)
      }
    }
    expect(compared).toBeGreaterThan(10)
  })

  it('draws each token as often as its probability says', () => {
    const row = Float32Array.from([Math.log(0.5), Math.log(0.3), Math.log(0.15), Math.log(0.05)])
    const sampler = new Sampler({ ...plain, seed: 7 })
    const counts = [0, 0, 0, 0]
    const draws = 20_000
    for (let i = 0; i < draws; i++) counts[sampler.sample(logitsOf(row))!]!++
    // Five standard deviations of the largest.
    for (const [id, share] of [0.5, 0.3, 0.15, 0.05].entries()) {
      expect(Math.abs(counts[id]! / draws - share)).toBeLessThan(5 * Math.sqrt(0.25 / draws))
    }
  })

  it('draws from the likeliest tokens what it would from all, or asks for the row', () => {
    const flat = fc.record({
      seed: fc.integer(),
      spread: fc.constantFrom(1, 4, 12, 30),
      steps: fc.constantFrom(0, 9),
    })
    let told = 0
    let asked = 0
    fc.assert(
      fc.property(
        flat.map(({ seed, spread, steps }) => {
          const random = createRandom(seed)
          return Float32Array.from({ length: 3000 }, () => {
            const uniform = random.next() ** 2
            return (steps === 0 ? uniform : Math.floor(uniform * steps) / steps) * spread
          })
        }),
        fc.record({
          temperature: fc.constantFrom(0.2, 0.7, 1, 1.5),
          topP: fc.constantFrom(1, 0.9, 0.5, 0),
          minP: fc.constantFrom(0, 0.05),
          seed: fc.integer(),
        }),
        (row, choice) => {
          const settings = { ...plain, ...choice }
          const whole = logitsOf(row)
          const [likeliest, all] = [new Sampler(settings), new Sampler(settings)]
          expect(likeliest.detail).toBe('top')
          const token = likeliest.sample(topOf(row, likeliest.sumTemperature))
          if (token === null) asked++
          else told++
          // Asked again, it uses the same random number.
          expect(token ?? likeliest.sample(whole)).toBe(all.sample(whole))
          expect(likeliest.sample(whole)).toBe(all.sample(whole))
        },
      ),
      { numRuns: 500, seed: 20261125 },
    )
    expect(told).toBeGreaterThan(150)
    expect(asked).toBeGreaterThan(50)
  })

  it('repeats itself with the same seed and only with it', () => {
    const row = new Float32Array(1000)
    const draw = (seed: number): number[] => {
      const sampler = new Sampler({ ...plain, seed })
      return Array.from({ length: 20 }, () => sampler.sample(logitsOf(row))!)
    }
    expect(draw(1)).toEqual(draw(1))
    const seeds = [0, 1, -1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1, 1 - 2 ** 53]
    expect(new Set(seeds.map((seed) => draw(seed).join())).size).toBe(seeds.length)
  })

  it('leaves greedy choice to the backend where nothing changes the logits', () => {
    const logits: RawLogits = {
      argmax: 3,
      logSumExp: 0,
      values: () => {
        throw new Error('the row must not be read')
      },
    }
    expect(new Sampler({ ...plain, temperature: 0 }).sample(logits)).toBe(3)
  })

  it('says so where the logits are no numbers', () => {
    for (const temperature of [0, 1]) {
      for (const logitBias of [new Map(), new Map([[0, 1]])]) {
        const sampler = new Sampler({ ...plain, temperature, logitBias })
        const logits: RawLogits = { argmax: 0, logSumExp: NaN, values: () => new Float32Array(4).fill(NaN) }
        expect(() => sampler.sample(logits)).toThrow(expect.objectContaining({ code: 'internal' }))
      }
    }
  })
})

describe('parts of the sampler', () => {
  it('takes the k largest, the lower id first among equals', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 700 }), (row, k) => {
        const out = new Candidates(1)
        selectTopK(row, k, out)
        const sorted = Array.from(row, (logit, id) => ({ id, logit })).toSorted(
          (a, b) => b.logit - a.logit || a.id - b.id,
        )
        expect([...out.ids.subarray(0, out.count)]).toEqual(sorted.slice(0, k).map(({ id }) => id))
      }),
    )
  })

  it('selects by weight what a sort and a walk would', () => {
    fc.assert(
      fc.property(rows, fc.double({ min: 0, max: 1.1, noNaN: true }), (row, share) => {
        const candidates = new Candidates(row.length)
        candidates.count = row.length
        candidates.ids.set([...row.keys()])
        candidates.logits.set(row)
        // Whole numbers: sums are exact in any order.
        candidates.weights.set(Float64Array.from(row, (logit) => Math.floor(Math.abs(logit) * 10)))
        const weightOf = new Map(Array.from(row, (_, id) => [id, candidates.weights[id]!]))
        const target = share * [...weightOf.values()].reduce((a, b) => a + b, 0)
        const position = selectByWeight(candidates, target)
        const sorted = [...row.keys()].toSorted((a, b) => row[b]! - row[a]! || a - b)
        let mass = 0
        let expected = sorted.findIndex((id) => (mass += weightOf.get(id)!) >= target)
        if (expected < 0) expected = sorted.length - 1
        expect(position).toBe(expected)
        expect(candidates.ids[position]).toBe(sorted[expected])
        expect(new Set(candidates.ids.subarray(0, position))).toEqual(new Set(sorted.slice(0, expected)))
      }),
    )
  })

  it('sums exponentials to within 1e−8', () => {
    fc.assert(
      fc.property(rows, fc.double({ min: 0.05, max: 20, noNaN: true }), (row, temperature) => {
        const largest = Math.max(...row)
        const exact = row.reduce((sum, logit) => sum + Math.exp((logit - largest) / temperature), 0)
        expect(Math.abs(sumOfExponentials(row, largest, temperature) / exact - 1)).toBeLessThan(1e-8)
      }),
    )
  })

  it('applies each penalty once a token, or once an occurrence', () => {
    const repeated = Float32Array.from([2, -2, 3])
    const seen = new Uint8Array(3)
    applyRepetitionPenalty(repeated, [0, 1, 0, 1], 2, seen)
    expect([...repeated]).toEqual([1, -4, 3])
    expect([...seen]).toEqual([0, 0, 0])
    const counted = Float32Array.from([0, 0, 0])
    applyCountPenalties(
      counted,
      new Map([
        [0, 3],
        [2, 1],
      ]),
      0.5,
      0.25,
    )
    expect([...counted]).toEqual([-1.75, 0, -0.75])
  })
})

describe('a sampler of the likeliest tokens alone', () => {
  it('chooses as over the whole row, with penalties too', () => {
    let tops = 0
    let wholes = 0
    fc.assert(
      fc.property(
        fc.record({
          temperature: fc.constantFrom(0, 0.7, 1.5),
          topK: fc.constantFrom(1, 5, 40, 200),
          topP: fc.constantFrom(1, 0.9),
          minP: fc.constantFrom(0, 0.05),
          repetitionPenalty: fc.constantFrom(1, 1.1, 2),
          frequencyPenalty: fc.constantFrom(0, 0.5),
          presencePenalty: fc.constantFrom(0, 1),
          bias: fc.constantFrom(0, -5, 5),
          vocabulary: fc.constantFrom(60, 1000),
          seed: fc.nat(),
        }),
        ({ bias, vocabulary, ...given }) => {
          const settings: SamplingSettings = {
            ...given,
            logitBias: new Map(bias === 0 ? [] : [7, 11, 13].map((id) => [id, bias])),
          }
          const random = createRandom(given.seed + 1)
          const [ofAll, ofTop] = [new Sampler(settings), new Sampler(settings)]
          const prompt = Array.from({ length: 30 }, () => Math.floor(random.next() * vocabulary))
          for (const sampler of [ofAll, ofTop]) sampler.acceptPrompt(prompt)
          for (let step = 0; step < 20; step++) {
            // Some ties; tokens of the prompt and of the answer come again and again.
            const row = Float32Array.from(
              { length: vocabulary },
              (_, id) => Math.round(random.next() * 200) / 20 + (id < 40 ? 4 : 0),
            )
            const isTop = ofTop.detail === 'top'
            if (isTop) tops++
            else wholes++
            const token = ofAll.sample(logitsOf(row))
            expect(ofTop.sample(isTop ? topOf(row) : logitsOf(row))).toBe(token)
            for (const sampler of [ofAll, ofTop]) sampler.accept(token!)
          }
        },
      ),
      { numRuns: 150, seed: 20261124 },
    )
    expect(tops).toBeGreaterThan(1000)
    expect(wholes).toBeGreaterThan(500)
  })
})

/** The 256 likeliest as a GPU gives them, and nothing else but the sums. */
function topOf(row: Float32Array, temperature?: number): RawLogits {
  const ids = Uint32Array.from(row.keys())
    .toSorted((a, b) => row[b]! - row[a]! || a - b)
    .subarray(0, TOP_COUNT)
  return {
    ...logitsOf(row),
    tempered: temperature && sumOfExponentials(row, row[ids[0]!]!, temperature),
    top: { ids, logits: Float32Array.from(ids, (id) => row[id]!) },
    values: () => {
      throw new Error('whole rows are not read')
    },
  }
}
