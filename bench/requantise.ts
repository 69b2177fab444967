import { blockLayouts } from '../src/gguf/block-layout'
import { dequantize } from '../src/gguf/blocks'
import { parseGguf } from '../src/gguf/parse'
import { quantize } from '../src/gguf/quantize'
import type { GgmlType, GgufTensor } from '../src/gguf/types'
import { memorySource } from '../src/store/memory-source'

const ALIGNMENT_BYTES = 32

/**
 * The same model with its Q4_1 matrices in another type; everything else (the Q8_0 embedding, the norms, the
 * metadata with its `general.file_type`) stays as it is. Only for timing: quantising twice costs quality.
 */
export async function requantise(file: Uint8Array, type: 'Q4_0' | 'Q8_0'): Promise<Uint8Array> {
  const { tensors } = await parseGguf(memorySource(file))
  const all = [...tensors.values()]
  const first = all[0]
  if (first === undefined) throw new Error('The model has no tensors')
  const metadata = file.subarray(0, tensorListStart(file, first))
  const targets = all.map((tensor) => (tensor.type === 'Q4_1' ? type : tensor.type))
  const contents = all.map((tensor, index) => convert(file, tensor, targets[index]!))

  const entries: Uint8Array[] = []
  let offset = 0
  all.forEach((tensor, index) => {
    entries.push(tensorEntry(tensor, targets[index]!, offset))
    offset += align(contents[index]!.length)
  })
  const header = Buffer.concat([metadata, ...entries])
  return Buffer.concat([padded(header), ...contents.map(padded)])
}

/** The list of tensors follows the metadata and opens with the first tensor's name. */
function tensorListStart(file: Uint8Array, { name }: GgufTensor): number {
  const pattern = Buffer.alloc(8 + name.length)
  pattern.writeBigUInt64LE(BigInt(name.length), 0)
  pattern.write(name, 8, 'latin1')
  const start = Buffer.from(file.buffer, file.byteOffset, file.byteLength).indexOf(pattern)
  if (start < 0) throw new Error(`The tensor ${name} is not in the header`)
  return start
}

function tensorEntry({ name, shape }: GgufTensor, type: GgmlType, offset: number): Uint8Array {
  const entry = Buffer.alloc(8 + name.length + 4 + shape.length * 8 + 4 + 8)
  let position = entry.writeBigUInt64LE(BigInt(name.length), 0)
  position += entry.write(name, position, 'latin1')
  position = entry.writeUInt32LE(shape.length, position)
  for (const length of shape) position = entry.writeBigUInt64LE(BigInt(length), position)
  position = entry.writeUInt32LE(blockLayouts[type].id, position)
  entry.writeBigUInt64LE(BigInt(offset), position)
  return entry
}

function convert(file: Uint8Array, tensor: GgufTensor, type: GgmlType): Uint8Array {
  const bytes = file.subarray(tensor.offsetBytes, tensor.offsetBytes + tensor.sizeBytes)
  if (type === tensor.type) return bytes
  if (type !== 'Q4_0' && type !== 'Q8_0') throw new Error(`Not asked for: ${type}`)
  const weights = new Float32Array(tensor.shape.reduce((product, length) => product * length, 1))
  dequantize(tensor.type, bytes, weights)
  return quantize(type, weights)
}

function align(length: number): number {
  return Math.ceil(length / ALIGNMENT_BYTES) * ALIGNMENT_BYTES
}

function padded(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(align(bytes.length))
  result.set(bytes)
  return result
}
