import type { ByteSource } from '../contract/bytes'
import { EngineError } from '../contract/error'
import { blockLayouts, sizeInBytes } from './block-layout'
import { dequantize } from './blocks'
import { alignmentOf } from './parse'
import { quantize, type QuantizableType } from './quantize'
import type { Gguf, GgufTensor } from './types'
import { ByteWriter, type TypedValue } from './write-values'

/** Weights converted at once; a multiple of every block's. */
const PIECE_WEIGHTS = 2 ** 18

export interface ConversionOptions {
  /** New types of tensors, by name; all others keep theirs. */
  types: ReadonlyMap<string, QuantizableType>
  /** Entries added to the metadata, or put in the place of what is there. */
  metadata?: Readonly<Record<string, TypedValue>>
}

/** A part of the new file, in order. */
export interface ConvertedPiece {
  readonly bytes: Uint8Array
  /** The tensor it is of; null for the header and padding. */
  readonly tensor: GgufTensor | null
  /** Σ weight² and Σ (weight − new weight)², where the tensor has a new type. */
  readonly change: { readonly squares: number; readonly squaredErrors: number } | null
}

interface Entry {
  readonly from: GgufTensor
  readonly to: GgufTensor
  readonly type: QuantizableType | null
}

/**
 * A GGUF file with some of its tensors in other types. It is not held anywhere: what is read of it is converted then,
 * from the file it is made of. So it can be written as well as run.
 */
export class ConvertedGguf implements ByteSource {
  readonly sizeBytes: number
  /** As the new file has them. */
  readonly tensors: readonly GgufTensor[]
  readonly #source: ByteSource
  readonly #header: Uint8Array
  readonly #entries: readonly Entry[]

  private constructor(source: ByteSource, header: Uint8Array, entries: readonly Entry[], sizeBytes: number) {
    this.#source = source
    this.#header = header
    this.#entries = entries
    this.tensors = entries.map(({ to }) => to)
    this.sizeBytes = sizeBytes
  }

  /** @throws EngineError 'invalid-argument' where a tensor's rows are no whole number of its new type's blocks */
  static async of(
    source: ByteSource,
    gguf: Gguf,
    { types, metadata = {} }: ConversionOptions,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<ConvertedGguf> {
    const alignment = alignmentOf(gguf.metadata)
    const align = (length: number): number => Math.ceil(length / alignment) * alignment
    const header = new ByteWriter()
    header.bytes(new TextEncoder().encode('GGUF'))
    header.scalar('uint32', 3)
    header.scalar('uint64', gguf.tensors.size)
    const kept = [...gguf.metadataRanges].filter(([key]) => !Object.hasOwn(metadata, key))
    header.scalar('uint64', kept.length + Object.keys(metadata).length)
    for (const [, { offsetBytes, sizeBytes }] of kept) {
      header.bytes((await source.read(offsetBytes, sizeBytes, { signal })).slice())
    }
    for (const [key, value] of Object.entries(metadata)) header.entry(key, value)

    let end = 0
    const placed = [...gguf.tensors.values()].map((from) => {
      const type = types.get(from.name)
      const to = resized(from, type ?? from.type)
      const offset = end
      end = align(end + to.sizeBytes)
      return { from, to, type: type === undefined || type === from.type ? null : type, offset }
    })
    for (const { to, offset } of placed) {
      header.scalar('string', to.name)
      header.scalar('uint32', to.shape.length)
      for (const length of to.shape) header.scalar('uint64', length)
      header.scalar('uint32', blockLayouts[to.type].id)
      header.scalar('uint64', offset)
    }
    header.pad(alignment)
    const entries = placed.map(({ from, to, type, offset }) => ({
      from,
      to: { ...to, offsetBytes: header.length + offset },
      type,
    }))
    return new ConvertedGguf(source, header.finish(), entries, header.length + end)
  }

  async read(
    offset: number,
    length: number,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<Uint8Array> {
    const stop = offset + length
    if (!(offset >= 0 && length >= 0 && stop <= this.sizeBytes)) {
      throw new EngineError('invalid-model', `The file ends at byte ${this.sizeBytes}, before byte ${stop}.`)
    }
    const out = new Uint8Array(length)
    out.set(this.#header.subarray(offset, stop))
    for (const entry of this.#entries) {
      const { offsetBytes, sizeBytes } = entry.to
      const from = Math.max(0, offset - offsetBytes)
      const to = Math.min(sizeBytes, stop - offsetBytes)
      if (from >= to) continue
      const at = offsetBytes + from - offset
      if (entry.type === null) {
        out.set(await this.#source.read(entry.from.offsetBytes + from, to - from, { signal }), at)
        continue
      }
      const { unit, unitBytes } = unitOf(entry.from, entry.type)
      const first = Math.floor(from / unitBytes)
      const count = Math.ceil(to / unitBytes) - first
      const { bytes } = await this.#convert(entry.from, entry.type, first * unit, count * unit, signal)
      out.set(bytes.subarray(from - first * unitBytes, to - first * unitBytes), at)
    }
    return out
  }

  /** The whole file in order, a piece of a tensor at a time. */
  async *pieces({ signal }: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<ConvertedPiece> {
    let at = this.#header.length
    yield { bytes: this.#header, tensor: null, change: null }
    for (const { from, to, type } of this.#entries) {
      if (to.offsetBytes > at) {
        yield { bytes: new Uint8Array(to.offsetBytes - at), tensor: null, change: null }
      }
      const weights = weightsOf(from)
      for (let start = 0; start < weights; start += PIECE_WEIGHTS) {
        signal?.throwIfAborted()
        const count = Math.min(PIECE_WEIGHTS, weights - start)
        if (type !== null) {
          const { bytes, values } = await this.#convert(from, type, start, count, signal)
          yield { bytes, tensor: to, change: changeOf(to, values, type, bytes) }
          continue
        }
        const offset = from.offsetBytes + sizeInBytes(from.type, start)
        const bytes = await this.#source.read(offset, sizeInBytes(from.type, count), { signal })
        yield { bytes, tensor: to, change: null }
      }
      at = to.offsetBytes + to.sizeBytes
    }
    if (this.sizeBytes > at) yield { bytes: new Uint8Array(this.sizeBytes - at), tensor: null, change: null }
  }

  async #convert(
    tensor: GgufTensor,
    type: QuantizableType,
    start: number,
    count: number,
    signal: AbortSignal | undefined,
  ): Promise<{ values: Float32Array; bytes: Uint8Array }> {
    const offset = tensor.offsetBytes + sizeInBytes(tensor.type, start)
    const values = new Float32Array(count)
    const blocks = await this.#source.read(offset, sizeInBytes(tensor.type, count), { signal })
    dequantize(tensor.type, blocks, values)
    return { values, bytes: quantize(type, values) }
  }
}

function weightsOf({ shape }: GgufTensor): number {
  return shape.reduce((product, length) => product * length, 1)
}

/** Fewest weights that are whole blocks of both types, and their bytes in the new one. */
function unitOf({ type: from }: GgufTensor, to: QuantizableType): { unit: number; unitBytes: number } {
  // Block sizes are powers of two.
  const unit = Math.max(blockLayouts[from].blockSize, blockLayouts[to].blockSize)
  return { unit, unitBytes: sizeInBytes(to, unit) }
}

function resized(tensor: GgufTensor, type: GgufTensor['type']): GgufTensor {
  const { blockSize } = blockLayouts[type]
  if (tensor.shape[0]! % blockSize !== 0) {
    throw new EngineError(
      'invalid-argument',
      `Rows of tensor "${tensor.name}" have ${tensor.shape[0]!} weights, which are no whole blocks of ${type}.`,
      { details: { tensor: tensor.name, type } },
    )
  }
  return { ...tensor, type, sizeBytes: sizeInBytes(type, weightsOf(tensor)) }
}

function changeOf(
  { name }: GgufTensor,
  values: Float32Array,
  type: QuantizableType,
  bytes: Uint8Array,
): { squares: number; squaredErrors: number } {
  const back = new Float32Array(values.length)
  dequantize(type, bytes, back)
  let squares = 0
  let squaredErrors = 0
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!
    const error = value - back[index]!
    squares += value * value
    squaredErrors += error * error
  }
  if (Number.isFinite(squares) && Number.isFinite(squaredErrors)) return { squares, squaredErrors }
  throw new EngineError(
    'invalid-model',
    `Tensor "${name}" has weights that ${type} can't hold, such as infinities or not-a-numbers.`,
    { details: { tensor: name, type } },
  )
}
