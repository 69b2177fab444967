import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ByteSource } from '../../src/contract/bytes'
import { isEngineError } from '../../src/contract/error'
import { maxHeaderBytes } from '../../src/gguf/limits'
import { parseGguf } from '../../src/gguf/parse'
import type { Gguf } from '../../src/gguf/types'
import { tinyArchitectures, tinyModel } from '../fixtures/tiny-models'

/** A header and the size of the file it belongs to; what is not header reads as zeros. */
interface Sample {
  header: Uint8Array
  sizeBytes: number
}

/** One damage. `at` is a fraction of the header, so that it shrinks well and fits headers of any length. */
type Damage =
  | { kind: 'flip'; at: number; mask: number }
  | { kind: 'set'; at: number; value: bigint; bytes: 4 | 8 }
  | { kind: 'cut'; at: number }
  | { kind: 'remove'; at: number; count: number }
  | { kind: 'insert'; at: number; bytes: Uint8Array }
  | { kind: 'repeat'; at: number; count: number }

// Positions all over, and near the start and the end, where counts, keys, shapes and offsets are.
const position = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0, max: 0.002, noNaN: true }),
  fc.double({ min: 0.99, max: 1, noNaN: true }),
)
const wildNumber = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: 0n, max: 70_000n }),
  fc.constantFrom(
    0n,
    1n,
    2n ** 20n,
    2n ** 22n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n - 1n,
  ),
)
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: position, mask: fc.integer({ min: 1, max: 255 }) }),
  fc.record({
    kind: fc.constant('set' as const),
    at: position,
    value: wildNumber,
    bytes: fc.constantFrom(4 as const, 8 as const),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: position }),
  fc.record({ kind: fc.constant('remove' as const), at: position, count: fc.integer({ min: 1, max: 64 }) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: position,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  }),
  fc.record({ kind: fc.constant('repeat' as const), at: position, count: fc.integer({ min: 1, max: 4096 }) }),
)

function applyDamage({ header, sizeBytes }: Sample, change: Damage): Sample {
  const at = Math.floor(change.at * Math.max(0, header.length - 1))
  if (change.kind === 'cut') return { header: header.subarray(0, at), sizeBytes: at }
  const damaged = Buffer.concat([header.subarray(0, at), ...damagedRest(header.subarray(at), change)])
  return { header: damaged, sizeBytes: sizeBytes + damaged.length - header.length }
}

function damagedRest(rest: Uint8Array, change: Exclude<Damage, { kind: 'cut' }>): Uint8Array[] {
  if (change.kind === 'flip') return [Uint8Array.of((rest[0] ?? 0) ^ change.mask), rest.subarray(1)]
  if (change.kind === 'remove') return [rest.subarray(change.count)]
  if (change.kind === 'insert') return [change.bytes, rest]
  if (change.kind === 'repeat') return [rest.subarray(0, change.count), rest]
  const value = new Uint8Array(BigUint64Array.of(change.value).buffer).subarray(0, change.bytes)
  return [value, rest.subarray(change.bytes)]
}

/** Reads like a file; refuses reads no careful reader would make. */
function strictSource({ header, sizeBytes }: Sample): ByteSource & { readBytes: number } {
  const source = {
    sizeBytes,
    readBytes: 0,
    async read(offset: number, length: number): Promise<Uint8Array> {
      if (offset < 0 || length < 0 || offset + length > sizeBytes)
        throw new Error(`read ${offset}, ${length}`)
      source.readBytes += length
      const part = new Uint8Array(length)
      part.set(header.subarray(offset, offset + length))
      return part
    },
  }
  return source
}

/** What a file that is accepted may be relied on for. */
function checkResult({ metadata, tensors, sizeBytes }: Gguf, fileBytes: number): void {
  expect(sizeBytes).toBeLessThanOrEqual(fileBytes)
  expect([...metadata.keys()]).not.toContain('')
  let end = 0
  for (const tensor of [...tensors.values()].toSorted((a, b) => a.offsetBytes - b.offsetBytes)) {
    expect(tensor.offsetBytes).toBeGreaterThanOrEqual(end)
    expect(tensor.sizeBytes).toBeGreaterThan(0)
    expect(tensor.shape.every((length) => Number.isSafeInteger(length) && length > 0)).toBe(true)
    end = tensor.offsetBytes + tensor.sizeBytes
  }
  expect(end).toBeLessThanOrEqual(sizeBytes)
}

/** Parses; anything but a sound result or an honest EngineError fails. */
async function checkParse(sample: Sample): Promise<void> {
  const source = strictSource(sample)
  const { arrayBuffers } = process.memoryUsage()
  try {
    checkResult(await parseGguf(source), sample.sizeBytes)
  } catch (error) {
    if (!isEngineError(error)) throw error
    expect(['invalid-model', 'unsupported']).toContain(error.code)
    expect(error.message.length).toBeGreaterThan(20)
    expect(error.message.length).toBeLessThan(70_000)
  }
  expect(source.readBytes).toBeLessThanOrEqual(Math.min(sample.sizeBytes, maxHeaderBytes))
  // Each byte is read once, held at most twice while the buffer grows, and once more in arrays.
  const grownBytes = process.memoryUsage().arrayBuffers - arrayBuffers
  expect(grownBytes).toBeLessThan(8 * 2 ** 20 + 8 * source.readBytes)
}

async function headerOf(file: Uint8Array, sizeBytes = file.length): Promise<Sample> {
  const { tensors } = await parseGguf(strictSource({ header: file, sizeBytes }))
  const dataStart = Math.min(...[...tensors.values()].map((tensor) => tensor.offsetBytes))
  return { header: file.subarray(0, dataStart), sizeBytes }
}

describe('a damaged header gives an EngineError or a sound result', () => {
  const damages = fc.array(damage, { minLength: 1, maxLength: 4 })

  for (const architecture of tinyArchitectures) {
    it(`of a tiny ${architecture} model`, async () => {
      const tiny = await headerOf(tinyModel({ architecture, type: 'Q4_K', layers: 1 }))
      await fc.assert(
        fc.asyncProperty(damages, async (changes) => checkParse(changes.reduce(applyDamage, tiny))),
        { numRuns: 400 },
      )
    })
  }

  describe('of the embedded model', () => {
    let real: Sample
    beforeAll(async () => {
      const folder = 'models/smollm2-135m-instruct-q4_1'
      const manifest = JSON.parse(await readFile(`${folder}/manifest.json`, 'utf8')) as {
        sizeBytes: number
        chunks: { file: string }[]
      }
      const chunk = new Uint8Array(await readFile(`${folder}/${manifest.chunks[0]!.file}`))
      real = await headerOf(chunk, manifest.sizeBytes)
    })

    it('with bytes flipped, set, removed, added and repeated', async () => {
      await fc.assert(
        fc.asyncProperty(damages, async (changes) => checkParse(changes.reduce(applyDamage, real))),
        { numRuns: 60 },
      )
    })
  })

  it('where there was none: any bytes after the magic', async () => {
    const start = new TextEncoder().encode('GGUF\x03\0\0\0')
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 400 }),
        fc.integer({ min: 0, max: 2 ** 34 }),
        async (rest, more) => {
          const header = Uint8Array.of(...start, ...rest)
          await checkParse({ header, sizeBytes: header.length + more })
        },
      ),
      { numRuns: 500 },
    )
  })
})
