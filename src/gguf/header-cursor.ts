import type { ByteSource } from '../contract/bytes'
import { EngineError } from '../contract/error'
import { maxBoxedValues, maxHeaderBytes } from './limits'

const firstReadBytes = 2 * 2 ** 20
/** Asked for at once: sources put longer reads together in a buffer of that length, and keep it. */
const readBytes = 2 ** 18

/** Thrown when a value lies beyond the bytes fetched so far; `HeaderCursor.read` catches it. Never leaves this file. */
class Incomplete {
  readonly neededBytes: number
  constructor(neededBytes: number) {
    this.neededBytes = neededBytes
  }
}

/** Bad bytes at a position of the header. */
export function invalidModel(message: string, details: Record<string, string | number> = {}): EngineError {
  return new EngineError('invalid-model', `${message} The file is damaged or no GGUF model; get it again.`, {
    details,
  })
}

/**
 * Reads a header from its start, fetching more of the file only as values need it. The accessors are synchronous and
 * may only be called inside `read`, which runs its callback again, from the same position, once enough bytes are here.
 * Bytes fetched double each time, so that the work done twice stays below the work done once.
 */
export class HeaderCursor {
  position = 0
  readonly #source: ByteSource
  readonly #signal: AbortSignal | undefined
  /** Most bytes a header of this file can have. */
  readonly #limitBytes: number
  #boxedValues = 0
  #bytes = new Uint8Array(0)
  #view = new DataView(this.#bytes.buffer)

  constructor(source: ByteSource, signal: AbortSignal | undefined) {
    this.#source = source
    this.#signal = signal
    this.#limitBytes = Math.min(source.sizeBytes, maxHeaderBytes)
  }

  async read<T>(parse: (cursor: HeaderCursor) => T): Promise<T> {
    const start = this.position
    const boxedValues = this.#boxedValues
    for (;;) {
      try {
        return parse(this)
      } catch (error) {
        if (!(error instanceof Incomplete)) throw error
        await this.#fetch(error.neededBytes)
        this.position = start
        this.#boxedValues = boxedValues
      }
    }
  }

  /** Counts values that take more memory than file against `maxBoxedValues`; call before they are made. */
  countBoxed(count: number, what: string): void {
    this.#boxedValues += count
    if (this.#boxedValues > maxBoxedValues) {
      throw invalidModel(
        `${what} at byte ${this.position}: more than ${maxBoxedValues} booleans and nested arrays.`,
      )
    }
  }

  /** Refuses what cannot fit: `byteLength` more bytes from here. Does not fetch. */
  expect(byteLength: number, what: string): void {
    const end = this.position + byteLength
    if (end <= this.#limitBytes) return
    if (end <= this.#source.sizeBytes) {
      throw new EngineError(
        'unsupported',
        `The header goes on beyond ${maxHeaderBytes} bytes (${what} at byte ${this.position}); real models need less.`,
        { details: { position: this.position, neededBytes: byteLength } },
      )
    }
    throw invalidModel(
      `The file ends at byte ${this.#source.sizeBytes}, inside ${what} at byte ${this.position}.`,
      { position: this.position, neededBytes: byteLength, sizeBytes: this.#source.sizeBytes },
    )
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1))
  }
  int8(): number {
    return this.#view.getInt8(this.#advance(1))
  }
  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true)
  }
  int16(): number {
    return this.#view.getInt16(this.#advance(2), true)
  }
  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true)
  }
  int32(): number {
    return this.#view.getInt32(this.#advance(4), true)
  }
  float32(): number {
    return this.#view.getFloat32(this.#advance(4), true)
  }
  float64(): number {
    return this.#view.getFloat64(this.#advance(8), true)
  }

  /** @throws EngineError 'unsupported' beyond 2^53 − 1. */
  uint64(): number {
    const at = this.#advance(8)
    return safeInteger(this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true), at)
  }

  /** @throws EngineError 'unsupported' beyond ±(2^53 − 1). */
  int64(): number {
    const at = this.#advance(8)
    return safeInteger(this.#view.getInt32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true), at)
  }

  bool(): boolean {
    const at = this.position
    const value = this.uint8()
    if (value > 1) throw invalidModel(`The boolean at byte ${at} is ${value}, not 0 or 1.`, { position: at })
    return value === 1
  }

  /** A copy of the next bytes, at the start of its own buffer. */
  bytes(byteLength: number): Uint8Array<ArrayBuffer> {
    const at = this.#advance(byteLength)
    return this.#bytes.slice(at, at + byteLength)
  }

  string(maxBytes: number, what: string): string {
    const byteLength = this.#stringLength(maxBytes, what)
    const at = this.#advance(byteLength)
    return decodeUtf8(this.#bytes.subarray(at, at + byteLength), what)
  }

  /**
   * `count` strings. Decoded together and cut afterwards: a call of TextDecoder for each of a vocabulary's
   * 100,000 strings takes several times as long.
   */
  strings(count: number, maxBytes: number, what: string): string[] {
    this.#advance(count * 8) // the lengths alone must be here before anything is allocated
    this.position -= count * 8
    const start = this.position
    for (let index = 0; index < count; index++) this.#advance(this.#stringLength(maxBytes, what))
    const end = this.position

    const bytes = this.#bytes
    const packed = new Uint8Array(end - start - count * 8)
    /** (count) UTF-16 units of each string. */
    const unitCounts = new Uint32Array(count)
    let from = start
    let to = 0
    for (let index = 0; index < count; index++) {
      const stop = from + 8 + this.#view.getUint32(from, true) // the high half is 0: lengths are below maxBytes
      from += 8
      let units = 0
      if (from < stop && isContinuation(bytes[from]!)) throw notUtf8(`string ${index} of ${what}`)
      while (from < stop) {
        const byte = bytes[from++]!
        packed[to++] = byte
        // Each sequence has one leading byte; those of four bytes become surrogate pairs.
        if (!isContinuation(byte)) units += byte >= 0xf0 ? 2 : 1
      }
      unitCounts[index] = units
    }

    const text = decodeUtf8(packed, what)
    const strings: string[] = []
    let unit = 0
    for (const units of unitCounts) strings.push(text.slice(unit, (unit += units)))
    return strings
  }

  #stringLength(maxBytes: number, what: string): number {
    const at = this.position
    const byteLength = this.uint64()
    if (byteLength > maxBytes) {
      throw invalidModel(
        `${what} at byte ${at} claims ${byteLength} bytes; at most ${maxBytes} are allowed.`,
        {
          position: at,
          claimedBytes: byteLength,
        },
      )
    }
    this.expect(byteLength, what)
    return byteLength
  }

  #advance(byteLength: number): number {
    const at = this.position
    const end = at + byteLength
    if (end > this.#bytes.length) {
      this.expect(byteLength, 'a value')
      // oxlint-disable-next-line typescript/only-throw-error -- control flow, caught in read(); a stack would cost time
      throw new Incomplete(end)
    }
    this.position = end
    return at
  }

  async #fetch(neededBytes: number): Promise<void> {
    const have = this.#bytes.length
    const want = Math.min(this.#limitBytes, Math.max(firstReadBytes, neededBytes, have * 2))
    const bytes = new Uint8Array(want)
    bytes.set(this.#bytes)
    for (let at = have; at < want; at += readBytes) {
      const count = Math.min(readBytes, want - at)
      const more = await this.#source.read(at, count, { signal: this.#signal })
      this.#signal?.throwIfAborted()
      if (more.length !== count) {
        throw new EngineError('internal', `A read of ${count} bytes at ${at} gave ${more.length}.`)
      }
      bytes.set(more, at)
    }
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80
}

function notUtf8(what: string): EngineError {
  return invalidModel(`The bytes of ${what} are not valid UTF-8.`)
}

function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw notUtf8(what)
  }
}

function safeInteger(value: number, position: number): number {
  if (Number.isSafeInteger(value)) return value
  throw new EngineError(
    'unsupported',
    `The 64-bit integer at byte ${position} is about ${value}; integers beyond 2^53 are not read.`,
    { details: { position } },
  )
}
