import { halfToFloat } from '../../src/gguf/half'

/** Weights as ONNX Runtime's MatMulNBits takes them: w = scale × (q − zero point), one scale for 32 columns. */
export interface BlockWeights {
  /** (rows, columns / 32, bytes of a block) The even column in the low nibble; 8-bit: one column a byte. */
  readonly quants: Uint8Array
  /** (rows, columns / 32) */
  readonly scales: Float32Array
}

export interface Q4Weights extends BlockWeights {
  /**
   * (columns / 32, rows) What is missing of w, the same for all columns of a block: Q4_1 is w = d × q + m, the
   * operator has d × (q − 8), so this is m + 8 × d and is to be multiplied by the sum of the block's inputs.
   */
  readonly offsets: Float32Array
}

const Q4_1_BYTES = 20
const Q8_0_BYTES = 34

/** Lossless: rounded zero points instead would cost a third of the choices of the likeliest token. */
export function fromQ4_1(bytes: Uint8Array, rows: number, columns: number): Q4Weights {
  const perRow = columns / 32
  const quants = new Uint8Array(rows * perRow * 16)
  const scales = new Float32Array(rows * perRow)
  const offsets = new Float32Array(rows * perRow)
  for (let block = 0; block < rows * perRow; block++) {
    const at = block * Q4_1_BYTES
    const scale = half(bytes, at)
    scales[block] = scale
    offsets[(block % perRow) * rows + Math.floor(block / perRow)] = half(bytes, at + 2) + 8 * scale
    // GGUF: column j and column j + 16 share byte j. MatMulNBits: columns 2j and 2j + 1.
    for (let j = 0; j < 8; j++) {
      const first = bytes[at + 4 + 2 * j]!
      const second = bytes[at + 5 + 2 * j]!
      quants[block * 16 + j] = (first & 15) | ((second & 15) << 4)
      quants[block * 16 + 8 + j] = (first >> 4) | (second & 0xf0)
    }
  }
  return { quants, scales, offsets }
}

/** 8-bit quants are unsigned in MatMulNBits and GatherBlockQuantized, with a zero point of 128. */
export function fromQ8_0(bytes: Uint8Array, rows: number, columns: number): BlockWeights {
  const blocks = (rows * columns) / 32
  const quants = new Uint8Array(blocks * 32)
  const scales = new Float32Array(blocks)
  for (let block = 0; block < blocks; block++) {
    const at = block * Q8_0_BYTES
    scales[block] = half(bytes, at)
    for (let j = 0; j < 32; j++) quants[block * 32 + j] = bytes[at + 2 + j]! ^ 128
  }
  return { quants, scales }
}

/**
 * GGUF files of the llama architecture hold the rows of queries and keys so that RoPE rotates neighbours (2i, 2i + 1);
 * ONNX models have them as they were trained, where it rotates i and i + headDim / 2. Other rows stay in order.
 * @param bytesPerRow of the quantised rows in `bytes`
 */
export function unpermuteHeads(bytes: Uint8Array, headDim: number, bytesPerRow: number): Uint8Array {
  const result = new Uint8Array(bytes.length)
  for (let row = 0; row < bytes.length / bytesPerRow; row++) {
    const inHead = row % headDim
    const target = row - inHead + (inHead % 2) * (headDim / 2) + Math.floor(inHead / 2)
    result.set(bytes.subarray(row * bytesPerRow, (row + 1) * bytesPerRow), target * bytesPerRow)
  }
  return result
}

function half(bytes: Uint8Array, at: number): number {
  return halfToFloat(bytes[at]! | (bytes[at + 1]! << 8))
}
