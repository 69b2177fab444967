import type { GgmlType, GgufTensor } from '../../gguf/types'

/** Rows of a group: their words lie side by side, so that neighbouring invocations read neighbouring addresses. */
export const GROUP_ROWS = 8
/** Columns of a block; rows are padded to whole blocks with zeros. */
export const BLOCK_COLUMNS = 32

/**
 * How a matrix lies in GPU buffers. Weight = scale × (code − offset) + minimum.
 *
 *   codes   (groups, blocks, units, GROUP_ROWS) × vec4<u32>; a row's block of 32 columns is `units` vectors
 *           'u4': word i holds columns 4i…4i + 3 in its bytes' low nibbles, 16 + 4i… in the high ones (GGUF's order)
 *           'u8', 'f16', 'bf16', 'f32': columns in order
 *   scales  (groups, words, GROUP_ROWS) × u32, each a pair of f16:
 *           with minima (scale, minimum), `scales` words a block; without, the scales of both halves of a block, or
 *           of two blocks
 */
export interface MatrixFormat {
  readonly codes: 'u4' | 'u8' | 'f16' | 'bf16' | 'f32'
  /** Vectors of a row's block. */
  readonly units: 1 | 2 | 4 | 8
  /** Scales of a block: one, one for each 16 columns, or none. */
  readonly scales: 0 | 1 | 2
  readonly hasMinimum: boolean
  readonly offset: number
}

const u4 = { codes: 'u4', units: 1 } as const
const u8 = { codes: 'u8', units: 2 } as const

/**
 * Every quantisation becomes one of these; its codes are kept, its scales rounded to f16 where they are products (K
 * formats). Signed bytes become codes by adding 128.
 */
export const matrixFormats: Readonly<Record<GgmlType, MatrixFormat>> = {
  F32: { codes: 'f32', units: 8, scales: 0, hasMinimum: false, offset: 0 },
  F16: { codes: 'f16', units: 4, scales: 0, hasMinimum: false, offset: 0 },
  BF16: { codes: 'bf16', units: 4, scales: 0, hasMinimum: false, offset: 0 },
  Q4_0: { ...u4, scales: 1, hasMinimum: false, offset: 8 },
  Q4_1: { ...u4, scales: 1, hasMinimum: true, offset: 0 },
  Q4_K: { ...u4, scales: 1, hasMinimum: true, offset: 0 },
  Q2_K: { ...u4, scales: 2, hasMinimum: true, offset: 0 },
  Q3_K: { ...u4, scales: 2, hasMinimum: false, offset: 4 },
  Q5_0: { ...u8, scales: 1, hasMinimum: false, offset: 16 },
  Q5_1: { ...u8, scales: 1, hasMinimum: true, offset: 0 },
  Q5_K: { ...u8, scales: 1, hasMinimum: true, offset: 0 },
  Q6_K: { ...u8, scales: 2, hasMinimum: false, offset: 32 },
  Q8_0: { ...u8, scales: 1, hasMinimum: false, offset: 128 },
  IQ4_NL: { ...u8, scales: 1, hasMinimum: false, offset: 128 },
}

export function sameFormat(a: GgufTensor, b: GgufTensor): boolean {
  const [x, y] = [matrixFormats[a.type], matrixFormats[b.type]]
  return (
    x.codes === y.codes && x.scales === y.scales && x.hasMinimum === y.hasMinimum && x.offset === y.offset
  )
}

/** Words of scales in a row of `blocks` blocks. */
export function scaleWords({ scales, hasMinimum }: MatrixFormat, blocks: number): number {
  if (scales === 0) return 0
  return hasMinimum || scales === 2 ? blocks * (hasMinimum ? scales : 1) : Math.ceil(blocks / 2)
}

/** Bytes of both buffers of a matrix. The second is never empty: a binding can't be. */
export function matrixBytes(
  format: MatrixFormat,
  rows: number,
  columns: number,
): { codes: number; scales: number } {
  const groups = Math.ceil(rows / GROUP_ROWS)
  const blocks = Math.ceil(columns / BLOCK_COLUMNS)
  return {
    codes: groups * blocks * format.units * GROUP_ROWS * 16,
    scales: groups * scaleWords(format, blocks) * GROUP_ROWS * 4,
  }
}
