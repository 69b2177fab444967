import type { Rope } from '../../model/definition'

/**
 * out = weights × x for each token. Every output is one dot product, summed in double precision from the first
 * column to the last, so that a token's result is the same to the bit in whatever batch it comes.
 */
export function linear(
  out: Float64Array, // (tokens, rows)
  weights: Float32Array, // (rows, columns)
  x: Float64Array, // (tokens, columns)
  tokens: number,
  columns: number,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    const w = weights.subarray(row * columns, (row + 1) * columns)
    let t = 0
    // Four tokens at a time, because one sum would wait for each addition to finish: twice as fast.
    for (; t + 4 <= tokens; t += 4) {
      const x0 = t * columns
      const x1 = x0 + columns
      const x2 = x1 + columns
      const x3 = x2 + columns
      let sum0 = 0
      let sum1 = 0
      let sum2 = 0
      let sum3 = 0
      for (let i = 0; i < columns; i++) {
        const weight = w[i]!
        sum0 += weight * x[x0 + i]!
        sum1 += weight * x[x1 + i]!
        sum2 += weight * x[x2 + i]!
        sum3 += weight * x[x3 + i]!
      }
      out[t * rows + row] = sum0
      out[(t + 1) * rows + row] = sum1
      out[(t + 2) * rows + row] = sum2
      out[(t + 3) * rows + row] = sum3
    }
    for (; t < tokens; t++) {
      const start = t * columns
      let sum = 0
      for (let i = 0; i < columns; i++) sum += w[i]! * x[start + i]!
      out[t * rows + row] = sum
    }
  }
}

/** x += y, or each row of x += y where y is one row. */
export function add(x: Float64Array, y: Float64Array | Float32Array): void {
  for (let i = 0; i < x.length; i++) x[i]! += y[i % y.length]!
}

/** RMS norm (https://arxiv.org/abs/1910.07467) of each row of weight.length: x / sqrt(mean(x²) + epsilon) × weight. */
export function rmsNorm(
  out: Float64Array, // (rows, weight.length); may be x itself
  x: Float64Array, // (rows, weight.length)
  weight: Float32Array,
  epsilon: number,
): void {
  const columns = weight.length
  for (let start = 0; start < x.length; start += columns) {
    let squares = 0
    for (let i = 0; i < columns; i++) squares += x[start + i]! ** 2
    const scale = 1 / Math.sqrt(squares / columns + epsilon)
    for (let i = 0; i < columns; i++) out[start + i] = x[start + i]! * scale * weight[i]!
  }
}

/**
 * Rotary position embedding (https://arxiv.org/abs/2104.09864) of one token's heads.
 * Pair i of a head turns by position × frequencies[i]; dimensions beyond dimensionCount stay.
 */
export function rotate(
  out: Float64Array | Float32Array, // (heads, headDim); may be x itself
  x: Float64Array | Float32Array, // (heads, headDim)
  headDim: number,
  position: number,
  { dimensionCount, style, frequencies }: Rope,
): void {
  const half = dimensionCount / 2
  if (out !== x) out.set(x)
  for (let i = 0; i < half; i++) {
    const angle = position * frequencies[i]!
    const cos = Math.cos(angle)
    const sin = Math.sin(angle)
    const first = style === 'interleaved' ? 2 * i : i
    const second = style === 'interleaved' ? 2 * i + 1 : i + half
    for (let head = 0; head < x.length; head += headDim) {
      const a = x[head + first]!
      const b = x[head + second]!
      out[head + first] = a * cos - b * sin
      out[head + second] = a * sin + b * cos
    }
  }
}

/** In place, over the first `count` numbers: exp(x − max) / Σ. */
export function softmax(x: Float64Array, count: number): void {
  let max = -Infinity
  for (let i = 0; i < count; i++) max = Math.max(max, x[i]!)
  let sum = 0
  for (let i = 0; i < count; i++) sum += x[i] = Math.exp(x[i]! - max)
  for (let i = 0; i < count; i++) x[i]! /= sum
}

/** cap × tanh(x / cap); x where there is no cap. */
export function softcap(x: number, cap: number | null): number {
  return cap === null ? x : cap * Math.tanh(x / cap)
}

/** x × sigmoid(x). */
export function silu(x: number): number {
  return x / (1 + Math.exp(-x))
}

/** The tanh approximation (https://arxiv.org/abs/1606.08415). */
export function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * x * (1 + 0.044715 * x * x)))
}
