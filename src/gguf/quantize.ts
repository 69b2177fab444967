import { blockLayouts, sizeInBytes } from './block-layout'
import { floatToBfloat, floatToHalf } from './half'

/** Types that floats can be turned into here. */
export type QuantizableType = 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1'

/**
 * Blocks of `type` that stand for `values`, as ggml makes them (quantize_row_*_ref of
 * https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-quants.c): same bytes.
 * @throws EngineError 'invalid-argument' where `values` are no whole number of blocks.
 */
export function quantize(type: QuantizableType, values: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeInBytes(type, values.length))
  const view = new DataView(bytes.buffer)
  switch (type) {
    case 'F32':
      values.forEach((value, index) => view.setFloat32(index * 4, value, true))
      break
    case 'F16':
      values.forEach((value, index) => view.setUint16(index * 2, floatToHalf(value), true))
      break
    case 'BF16':
      values.forEach((value, index) => view.setUint16(index * 2, floatToBfloat(value), true))
      break
    case 'Q8_0':
    case 'Q4_0':
    case 'Q4_1':
    case 'Q5_0':
    case 'Q5_1': {
      const putBlock = blockWriters[type]
      const { blockSize, bytesPerBlock } = blockLayouts[type]
      for (let at = 0, from = 0; at < bytes.length; at += bytesPerBlock, from += blockSize) {
        putBlock(values.subarray(from, from + blockSize), view, bytes.subarray(at, at + bytesPerBlock))
      }
    }
  }
  return bytes
}

/** Writes one block: `view` is over all output, `block` over this block's bytes. */
type BlockWriter = (values: Float32Array, view: DataView, block: Uint8Array) => void

const blockWriters: Readonly<Record<Exclude<QuantizableType, 'F32' | 'F16' | 'BF16'>, BlockWriter>> = {
  Q8_0: putQ8,
  Q4_0: (values, view, block) => putSymmetric(values, view, block, 4),
  Q5_0: (values, view, block) => putSymmetric(values, view, block, 5),
  Q4_1: (values, view, block) => putWithMinimum(values, view, block, 4),
  Q5_1: (values, view, block) => putWithMinimum(values, view, block, 5),
}

function putQ8(values: Float32Array, view: DataView, block: Uint8Array): void {
  let largest = 0
  for (const value of values) largest = Math.max(largest, Math.abs(value))
  const scale = Math.fround(largest / 127)
  const inverse = inverseOf(scale)
  view.setUint16(block.byteOffset, floatToHalf(scale), true)
  for (let j = 0; j < values.length; j++) {
    const scaled = Math.fround(values[j]! * inverse)
    block[2 + j] = Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5) // roundf: halves away from zero
  }
}

/** The value of largest magnitude becomes −2^(bits − 1), with its sign in the scale. */
function putSymmetric(values: Float32Array, view: DataView, block: Uint8Array, bits: 4 | 5): void {
  const levels = 2 ** bits
  let extreme = 0
  for (const value of values) if (Math.abs(value) > Math.abs(extreme)) extreme = value
  const scale = Math.fround(extreme / (-levels / 2))
  const inverse = inverseOf(scale)
  view.setUint16(block.byteOffset, floatToHalf(scale), true)
  const half = levels / 2 + 0.5
  for (let j = 0; j < values.length; j++) {
    quants[j] = Math.min(levels - 1, Math.fround(Math.fround(values[j]! * inverse) + half))
  }
  putQuants(block, bits)
}

/** The smallest value becomes 0, the largest 2^bits − 1. */
function putWithMinimum(values: Float32Array, view: DataView, block: Uint8Array, bits: 4 | 5): void {
  const levels = 2 ** bits
  let minimum = Infinity
  let maximum = -Infinity
  for (const value of values) {
    minimum = Math.min(minimum, value)
    maximum = Math.max(maximum, value)
  }
  const scale = Math.fround(Math.fround(maximum - minimum) / (levels - 1))
  const inverse = inverseOf(scale)
  view.setUint16(block.byteOffset, floatToHalf(scale), true)
  view.setUint16(block.byteOffset + 2, floatToHalf(minimum), true)
  for (let j = 0; j < values.length; j++) {
    const scaled = Math.fround(Math.fround(values[j]! - minimum) * inverse)
    quants[j] = Math.min(levels - 1, Math.fround(scaled + 0.5))
  }
  putQuants(block, bits)
}

function inverseOf(scale: number): number {
  return scale === 0 ? 0 : Math.fround(1 / scale)
}

/** (32) Codes of the block that is being written; fractions are cut off. */
const quants = new Uint8Array(32)

/** Nibbles in the last 16 bytes, fifth bits, if any, in the 4 before. */
function putQuants(block: Uint8Array, bits: 4 | 5): void {
  const nibbles = block.length - 16
  for (let j = 0; j < 16; j++) block[nibbles + j] = (quants[j]! & 0xf) | ((quants[j + 16]! & 0xf) << 4)
  if (bits === 4) return
  for (let j = 0; j < 32; j++) block[nibbles - 4 + (j >> 3)]! |= (quants[j]! >> 4) << (j & 7)
}
