/** Matrix products with float weights, row-major as in the file: out[row] = Σ columns weight × value, in f32. */
import { multiplyAdd } from './dot'
import { halfToFloat, horizontalSum } from './math'
import { MATRIX_BF16, MATRIX_F16, MATRIX_F32 } from './structs'

/** Four weights of a row as f32; f16 still × 2^−112. */
// @ts-ignore: decorator
@inline
function loadWeights(kind: i32, pointer: usize, column: i32): v128 {
  if (kind == MATRIX_F32) return v128.load(pointer + (<usize>column << 2))
  const at = pointer + (<usize>column << 1)
  if (kind == MATRIX_BF16) return i32x4.shl(v128.load16x4_u(at), 16)
  return v128.and(i32x4.shl(v128.load16x4_s(at), 13), i32x4.splat(0x8fffffff))
}

/** Value of one weight. */
export function floatWeight(kind: i32, data: usize, index: i32): f32 {
  if (kind == MATRIX_F32) return load<f32>(data + (<usize>index << 2))
  const bits = <u32>load<u16>(data + (<usize>index << 1))
  if (kind == MATRIX_BF16) return reinterpret<f32>(bits << 16)
  return halfToFloat(bits)
}

// @ts-ignore: decorator
@inline
function rowDot(kind: i32, row: usize, values: usize, columns: i32): f32 {
  let a = f32x4.splat(0)
  let b = f32x4.splat(0)
  let c: i32 = 0
  for (; c + 8 <= columns; c += 8) {
    const x = values + (<usize>c << 2)
    a = multiplyAdd(loadWeights(kind, row, c), v128.load(x), a)
    b = multiplyAdd(loadWeights(kind, row, c + 4), v128.load(x, 16), b)
  }
  let sum = horizontalSum(f32x4.add(a, b))
  if (kind == MATRIX_F16) sum *= 5192296858534827628530496329220096.0 // 2^112
  for (; c < columns; c++) sum += floatWeight(kind, row, c) * load<f32>(values + (<usize>c << 2))
  return sum
}

/** Rows [from, to) for one token. */
export function tokenFloat(
  kind: i32, weights: usize, values: usize, columns: i32, from: i32, to: i32, out: usize, add: bool,
): void {
  const rowBytes = <usize>columns * (kind == MATRIX_F32 ? 4 : 2)
  for (let row = from; row < to; row++) {
    const pointer = weights + <usize>row * rowBytes
    let sum: f32
    if (kind == MATRIX_F32) sum = rowDot(MATRIX_F32, pointer, values, columns)
    else if (kind == MATRIX_F16) sum = rowDot(MATRIX_F16, pointer, values, columns)
    else sum = rowDot(MATRIX_BF16, pointer, values, columns)
    const y = out + (<usize>row << 2)
    store<f32>(y, add ? load<f32>(y) + sum : sum)
  }
}
