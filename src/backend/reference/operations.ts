import type { Rope } from '../../model/definition'

/**
 * out = weights × x for each token. Every output is one dot product, summed in double precision in an order that
 * depends on the row alone, so that a token's result is the same to the bit in whatever batch it comes.
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
    for (let t = 0; t < tokens; t++) out[t * rows + row] = dot(w, x, t * columns)
  }
}

/** Σ a[i] × b[offset + i]. Four sums, because one would wait for each addition to finish. */
function dot(a: Float32Array, b: Float64Array, offset: number): number {
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  const whole = a.length - (a.length % 4)
  for (let i = 0; i < whole; i += 4) {
    sum0 += a[i]! * b[offset + i]!
    sum1 += a[i + 1]! * b[offset + i + 1]!
    sum2 += a[i + 2]! * b[offset + i + 2]!
    sum3 += a[i + 3]! * b[offset + i + 3]!
  }
  for (let i = whole; i < a.length; i++) sum0 += a[i]! * b[offset + i]!
  return sum0 + sum1 + (sum2 + sum3)
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
