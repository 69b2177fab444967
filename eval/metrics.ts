import { calibrationError, type Judged } from '../src/router/calibration/figures'

/** The ECE that perfectly calibrated confidences would show with as many items: its floor, from chance alone. */
export function eceFloor(items: readonly Judged[], random: () => number, rounds = 200): number {
  let sum = 0
  for (let round = 0; round < rounds; round++) {
    sum += calibrationError(
      items.map(({ confidence }) => ({ confidence, right: random() < confidence ? 1 : 0 })),
    )
  }
  return sum / rounds
}

/** Share of wrong answers among the most confident, for each share answered. */
export function riskCoverage(items: readonly Judged[]): { coverage: number; risk: number }[] {
  let wrong = 0
  return items
    .toSorted((a, b) => b.confidence - a.confidence)
    .map(({ right }, index) => {
      wrong += 1 - right
      return { coverage: (index + 1) / items.length, risk: wrong / (index + 1) }
    })
}

/** A figure with its 95 % interval. */
export interface Interval {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** Percentile bootstrap over items; null where the figure is none for these items. */
export function bootstrap<Item>(
  items: readonly Item[],
  figure: (sample: readonly Item[]) => number | null,
  random: () => number,
  rounds = 200,
): Interval | null {
  const value = figure(items)
  if (value === null) return null
  const values: number[] = []
  for (let round = 0; round < rounds; round++) {
    const drawn = figure(items.map(() => items[Math.floor(random() * items.length)]!))
    if (drawn !== null) values.push(drawn)
  }
  values.sort((a, b) => a - b)
  const at = (share: number): number => values[Math.round(share * (values.length - 1))] ?? value
  return { value, low: at(0.025), high: at(0.975) }
}

/** A repeatable source of numbers in [0, 1): mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
