import type { ByteSource } from '../contract/bytes'
import { EngineError } from '../contract/error'
import { blockLayouts, ggmlTypeById } from './block-layout'
import { HeaderCursor, invalidModel } from './header-cursor'
import {
  maxAlignmentBytes,
  maxArrayDepth,
  maxArrayLength,
  maxDimensions,
  maxKeyBytes,
  maxMetadataEntries,
  maxStringBytes,
  maxTensorNameBytes,
  maxTensors,
} from './limits'
import type { Gguf, GgmlType, GgufTensor, GgufValue } from './types'

const magic = 0x46554747 // 'GGUF'
const defaultAlignmentBytes = 32
/** Bytes of the smallest entry: an empty key, its type and one byte; an empty name, one dimension, type, offset. */
const minMetadataEntryBytes = 8 + 4 + 1
const minTensorEntryBytes = 8 + 4 + 8 + 4 + 8

/** A tensor as the header states it: its offset counts from the end of the header. */
type RawTensor = Omit<GgufTensor, 'offsetBytes'> & { relativeOffset: number }

/**
 * Reads the header of a GGUF file; the weights stay where they are. Every length, offset and count is checked
 * against the file and the limits of `limits.ts` before anything is allocated for it.
 * @throws EngineError 'invalid-model' for bytes that are no well-formed GGUF, 'unsupported' for a well-formed file
 *   of a version, byte order or tensor type that is not read here.
 */
export async function parseGguf(
  source: ByteSource,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<Gguf> {
  options.signal?.throwIfAborted()
  const cursor = new HeaderCursor(source, options.signal)
  const { version, tensorCount, metadataCount } = await cursor.read(readPreamble)

  const metadata = new Map<string, GgufValue>()
  const metadataRanges = new Map<string, { offsetBytes: number; sizeBytes: number }>()
  for (let index = 0; index < metadataCount; index++) {
    const offsetBytes = cursor.position
    const [key, value] = await cursor.read(readMetadataEntry)
    if (metadata.has(key)) throw invalidModel(`The key "${key}" is there twice.`, { key })
    metadata.set(key, value)
    metadataRanges.set(key, { offsetBytes, sizeBytes: cursor.position - offsetBytes })
  }
  const alignment = alignmentOf(metadata)

  const raw = new Map<string, RawTensor>()
  for (let index = 0; index < tensorCount; index++) {
    const tensor = await cursor.read(readTensorEntry)
    if (raw.has(tensor.name))
      throw invalidModel(`The tensor "${tensor.name}" is there twice.`, { tensor: tensor.name })
    raw.set(tensor.name, tensor)
  }

  const headerBytes = cursor.position
  const dataStart = Math.ceil(headerBytes / alignment) * alignment
  const tensors = new Map<string, GgufTensor>()
  for (const { name, type, shape, sizeBytes, relativeOffset } of raw.values()) {
    if (relativeOffset % alignment !== 0) {
      throw invalidModel(`Tensor "${name}" starts at ${relativeOffset}, no multiple of ${alignment}.`, {
        tensor: name,
      })
    }
    const offsetBytes = dataStart + relativeOffset
    if (offsetBytes + sizeBytes > source.sizeBytes) {
      throw invalidModel(
        `Tensor "${name}" ends at byte ${offsetBytes + sizeBytes}, but the file has ${source.sizeBytes} bytes.`,
        { tensor: name, endBytes: offsetBytes + sizeBytes, sizeBytes: source.sizeBytes },
      )
    }
    tensors.set(name, { name, type, shape, offsetBytes, sizeBytes })
  }
  return { version, metadata, metadataRanges, tensors, sizeBytes: endOfTensors(tensors, headerBytes) }
}

function readPreamble(cursor: HeaderCursor): { version: 2 | 3; tensorCount: number; metadataCount: number } {
  const found = cursor.uint32()
  if (found !== magic) {
    throw invalidModel(`The file starts with 0x${found.toString(16).padStart(8, '0')}, not with "GGUF".`)
  }
  const version = cursor.uint32()
  if (version !== 2 && version !== 3) {
    const bigEndian = version !== 0 && (version & 0xffff) === 0
    throw new EngineError(
      'unsupported',
      bigEndian
        ? 'This GGUF file is big-endian. Use a little-endian one.'
        : `This GGUF file is of version ${version}. Convert it to version 2 or 3 with llama.cpp.`,
      { details: { version } },
    )
  }
  const tensorCount = cursor.uint64()
  const metadataCount = cursor.uint64()
  checkCount(cursor, 'tensors', tensorCount, maxTensors, minTensorEntryBytes)
  checkCount(cursor, 'metadata entries', metadataCount, maxMetadataEntries, minMetadataEntryBytes)
  return { version, tensorCount, metadataCount }
}

/** Refuses a count that is over its limit, or whose smallest form would not fit the rest of the file. */
function checkCount(
  cursor: HeaderCursor,
  what: string,
  count: number,
  max: number,
  minBytesEach: number,
): void {
  if (count > max)
    throw invalidModel(`The file claims ${count} ${what}; at most ${max} are allowed.`, { count })
  cursor.expect(count * minBytesEach, `${count} ${what}`)
}

function readMetadataEntry(cursor: HeaderCursor): [key: string, value: GgufValue] {
  const key = cursor.string(maxKeyBytes, 'A metadata key')
  if (key === '') throw invalidModel(`The metadata key before byte ${cursor.position} is empty.`)
  return [key, readValue(cursor, cursor.uint32(), key, 0)]
}

function readValue(cursor: HeaderCursor, type: number, key: string, depth: number): GgufValue {
  // Numbers of enum gguf_metadata_value_type.
  switch (type) {
    case 0:
      return cursor.uint8()
    case 1:
      return cursor.int8()
    case 2:
      return cursor.uint16()
    case 3:
      return cursor.int16()
    case 4:
      return cursor.uint32()
    case 5:
      return cursor.int32()
    case 6:
      return cursor.float32()
    case 7:
      return cursor.bool()
    case 8:
      return cursor.string(maxStringBytes, `The value of "${key}"`)
    case 9:
      return readArray(cursor, key, depth)
    case 10:
      return cursor.uint64()
    case 11:
      return cursor.int64()
    case 12:
      return cursor.float64()
    default:
      throw invalidModel(`The value of "${key}" has type ${type}; types are 0 to 12.`, { key, type })
  }
}

function readArray(cursor: HeaderCursor, key: string, depth: number): GgufValue {
  if (depth >= maxArrayDepth)
    throw invalidModel(`Arrays of "${key}" are nested deeper than ${maxArrayDepth}.`, { key })
  const type = cursor.uint32()
  const length = cursor.uint64()
  checkCount(cursor, `entries of "${key}"`, length, maxArrayLength, smallestBytes(type))
  // Typed arrays read the host's byte order; every host with WebAssembly is little-endian, as the file is.
  switch (type) {
    case 0:
      return cursor.bytes(length)
    case 1:
      return new Int8Array(cursor.bytes(length).buffer)
    case 2:
      return new Uint16Array(cursor.bytes(length * 2).buffer)
    case 3:
      return new Int16Array(cursor.bytes(length * 2).buffer)
    case 4:
      return new Uint32Array(cursor.bytes(length * 4).buffer)
    case 5:
      return new Int32Array(cursor.bytes(length * 4).buffer)
    case 6:
      return new Float32Array(cursor.bytes(length * 4).buffer)
    case 7:
      cursor.countBoxed(length, `"${key}"`)
      return readEach(length, () => cursor.bool())
    case 8:
      return cursor.strings(length, maxStringBytes, `"${key}"`)
    case 9:
      cursor.countBoxed(length, `"${key}"`)
      return readEach(length, () => readArray(cursor, key, depth + 1))
    case 10:
      return Float64Array.from(readEach(length, () => cursor.uint64()))
    case 11:
      return Float64Array.from(readEach(length, () => cursor.int64()))
    case 12:
      return new Float64Array(cursor.bytes(length * 8).buffer)
    default:
      throw invalidModel(`The array "${key}" has entries of type ${type}; types are 0 to 12.`, { key, type })
  }
}

/** Bytes of the smallest value of a metadata type; of an unknown one, 1. */
function smallestBytes(type: number): number {
  return [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8][type] ?? 1
}

function readEach<T>(length: number, read: () => T): T[] {
  const values: T[] = []
  for (let index = 0; index < length; index++) values.push(read())
  return values
}

/** Of the tensors' offsets, in bytes. */
export function alignmentOf(metadata: ReadonlyMap<string, GgufValue>): number {
  const alignment = metadata.get('general.alignment') ?? defaultAlignmentBytes
  if (typeof alignment === 'number' && alignment >= 1 && alignment <= maxAlignmentBytes) {
    if (Number.isInteger(Math.log2(alignment))) return alignment
  }
  throw invalidModel(
    `"general.alignment" is ${typeof alignment === 'number' ? alignment : 'no number'}; ` +
      `it must be a power of two up to ${maxAlignmentBytes}.`,
  )
}

function readTensorEntry(cursor: HeaderCursor): RawTensor {
  const name = cursor.string(maxTensorNameBytes, 'A tensor name')
  if (name === '') throw invalidModel(`The tensor name before byte ${cursor.position} is empty.`)
  const dimensions = cursor.uint32()
  if (dimensions < 1 || dimensions > maxDimensions) {
    throw invalidModel(`Tensor "${name}" has ${dimensions} dimensions; 1 to ${maxDimensions} are allowed.`, {
      tensor: name,
    })
  }
  const shape = readEach(dimensions, () => cursor.uint64())
  const type = ggmlTypeById(cursor.uint32(), name)
  return { name, type, shape, sizeBytes: tensorSize(name, type, shape), relativeOffset: cursor.uint64() }
}

function tensorSize(name: string, type: GgmlType, shape: readonly number[]): number {
  const { blockSize, bytesPerBlock } = blockLayouts[type]
  const elements = shape.reduce((product, length) => product * length, 1)
  const text = `Tensor "${name}" of type ${type} has shape ${shape.join(' × ')}`
  const details = { tensor: name, type, shape: shape.join('x') }
  if (elements === 0) throw invalidModel(`${text}: it is empty.`, details)
  if (!Number.isSafeInteger(elements * 4)) throw invalidModel(`${text}: too many weights.`, details)
  if (shape[0]! % blockSize !== 0) {
    throw invalidModel(`${text}: its rows are no whole number of blocks of ${blockSize}.`, details)
  }
  return (elements / blockSize) * bytesPerBlock
}

/** Checks that no two tensors share bytes; gives where the last one ends. */
function endOfTensors(tensors: ReadonlyMap<string, GgufTensor>, headerBytes: number): number {
  let end = headerBytes
  let before = ''
  for (const tensor of [...tensors.values()].toSorted((a, b) => a.offsetBytes - b.offsetBytes)) {
    if (tensor.offsetBytes < end) {
      throw invalidModel(`Tensors "${before}" and "${tensor.name}" overlap at byte ${tensor.offsetBytes}.`, {
        tensor: tensor.name,
      })
    }
    end = tensor.offsetBytes + tensor.sizeBytes
    before = tensor.name
  }
  return end
}
