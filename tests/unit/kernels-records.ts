import type { KernelBench } from './kernels-harness'

/** The scale of a record's metadata carries this factor (kernels/dot.ts). */
const activationFactor = 2 ** 64

/** A token's input to a matrix product, read back (kernels/activations.ts). */
export interface ReadRecord {
  readonly values: Float32Array
  /** In the order of columns. */
  readonly codes: Int32Array
  readonly blocks: readonly { scale: number; sum: number; integerSum: number; lowSum: number }[]
}

/** Enough for every build. */
export function recordBytesOf(columns: number): number {
  return columns * 6 + Math.ceil(columns / 32) * 16
}

export function readRecord({ kernels, arena }: KernelBench, record: number, columns: number): ReadRecord {
  const view = new DataView(arena.buffer)
  const width = kernels.codeBytes()
  const codesAt = kernels.recordCodes(record, columns)
  const metaAt = kernels.recordMeta(record, columns)
  // Plain SIMD keeps the even columns of a quad before the odd ones.
  const order = width === 2 ? [0, 2, 1, 3] : [0, 1, 2, 3]
  const codes = Int32Array.from({ length: columns }, (_, column) => {
    const at = (column & ~3) + order[column & 3]!
    return width === 2 ? view.getInt16(codesAt + at * 2, true) : view.getInt8(codesAt + at)
  })
  const blocks = Array.from({ length: columns / 32 }, (_, b) => {
    const at = metaAt + b * 16
    return {
      scale: view.getFloat32(at, true) / activationFactor,
      sum: view.getFloat32(at + 4, true) / activationFactor,
      integerSum: view.getInt32(at + 8, true),
      lowSum: view.getFloat32(at + 12, true) / activationFactor,
    }
  })
  return { values: new Float32Array(arena.buffer, record, columns).slice(), codes, blocks }
}
