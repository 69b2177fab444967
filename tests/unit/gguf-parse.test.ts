import { describe, expect, it } from 'vitest'
import type { ByteSource } from '../../src/contract/bytes'
import { maxHeaderBytes } from '../../src/gguf/limits'
import { parseGguf } from '../../src/gguf/parse'
import type { TypedArray } from '../../src/gguf/write-values'
import { memorySource } from '../../src/store/memory-source'
import { openModelFolder } from '../../src/store/node-file'
import { writeGguf, type WriterFile, type WriterTensor } from '../fixtures/gguf-writer'
import { tinyModel } from '../fixtures/tiny-models'

const floats = (name: string, shape: number[], rest: Partial<WriterTensor> = {}): WriterTensor => ({
  name,
  type: 'F32',
  shape,
  bytes: new Uint8Array(4 * shape.reduce((product, length) => product * length, 1)),
  ...rest,
})

async function parse(file: WriterFile): ReturnType<typeof parseGguf> {
  return parseGguf(memorySource(writeGguf(file)))
}

/** Counts what is read of a file. */
function counted(bytes: Uint8Array, sizeBytes = bytes.length): ByteSource & { readBytes: number } {
  const source = {
    sizeBytes,
    readBytes: 0,
    async read(offset: number, length: number): Promise<Uint8Array> {
      source.readBytes += length
      const part = new Uint8Array(length)
      part.set(bytes.subarray(offset, offset + length))
      return part
    },
  }
  return source
}

describe('parseGguf', () => {
  for (const version of [2, 3]) {
    it(`reads every metadata type of version ${version}`, async () => {
      const { metadata, version: found } = await parse({
        version,
        metadata: {
          u8: ['uint8', 200],
          i8: ['int8', -100],
          u16: ['uint16', 60_000],
          i16: ['int16', -30_000],
          u32: ['uint32', 4_000_000_000],
          i32: ['int32', -2_000_000_000],
          f32: ['float32', 0.1],
          yes: ['bool', true],
          text: ['string', 'Grüße, 世界 🐟'],
          u64: ['uint64', 2 ** 53 - 1],
          i64: ['int64', -(2 ** 53) + 1],
          f64: ['float64', 0.1],
          'array.u8': ['array', 'uint8', [1, 255]],
          'array.i8': ['array', 'int8', [1, -1]],
          'array.u16': ['array', 'uint16', [1, 65_535]],
          'array.i16': ['array', 'int16', [1, -1]],
          'array.u32': ['array', 'uint32', [1, 4_294_967_295]],
          'array.i32': ['array', 'int32', [1, -1]],
          'array.f32': ['array', 'float32', [0.5, -2]],
          'array.bool': ['array', 'bool', [true, false]],
          'array.string': ['array', 'string', ['', 'a', 'ü', '世界', '🐟🐟', '', '\uFEFFx', '\0', 'Ġthe']],
          'array.u64': ['array', 'uint64', [1, 2 ** 40]],
          'array.i64': ['array', 'int64', [1, -(2 ** 40)]],
          'array.f64': ['array', 'float64', [0.1, -2]],
          'array.empty': ['array', 'string', []],
          'array.array': [
            'array',
            'array',
            [
              ['array', 'uint8', [1]],
              ['array', 'string', ['x', 'y']],
            ],
          ],
        },
      })
      expect(found).toBe(version)
      expect(Object.fromEntries(metadata)).toEqual({
        u8: 200,
        i8: -100,
        u16: 60_000,
        i16: -30_000,
        u32: 4_000_000_000,
        i32: -2_000_000_000,
        f32: Math.fround(0.1),
        yes: true,
        text: 'Grüße, 世界 🐟',
        u64: 2 ** 53 - 1,
        i64: -(2 ** 53) + 1,
        f64: 0.1,
        'array.u8': Uint8Array.of(1, 255),
        'array.i8': Int8Array.of(1, -1),
        'array.u16': Uint16Array.of(1, 65_535),
        'array.i16': Int16Array.of(1, -1),
        'array.u32': Uint32Array.of(1, 4_294_967_295),
        'array.i32': Int32Array.of(1, -1),
        'array.f32': Float32Array.of(0.5, -2),
        'array.bool': [true, false],
        'array.string': ['', 'a', 'ü', '世界', '🐟🐟', '', '\uFEFFx', '\0', 'Ġthe'],
        'array.u64': Float64Array.of(1, 2 ** 40),
        'array.i64': Float64Array.of(1, -(2 ** 40)),
        'array.f64': Float64Array.of(0.1, -2),
        'array.empty': [],
        'array.array': [Uint8Array.of(1), ['x', 'y']],
      })
    })
  }

  it('places tensors by the alignment of the file', async () => {
    const bytes = writeGguf({
      alignment: 64,
      metadata: { 'general.alignment': ['uint32', 64] },
      tensors: [
        floats('a', [3, 2]),
        { name: 'b', type: 'Q4_K', shape: [256, 3], bytes: new Uint8Array(144 * 3).fill(7) },
      ],
    })
    const { tensors, sizeBytes } = await parseGguf(memorySource(bytes))
    const [a, b] = [...tensors.values()]
    expect(a).toMatchObject({ name: 'a', type: 'F32', shape: [3, 2], sizeBytes: 24 })
    expect(b).toMatchObject({ name: 'b', type: 'Q4_K', shape: [256, 3], sizeBytes: 432 })
    expect(a!.offsetBytes % 64).toBe(0)
    expect(b!.offsetBytes).toBe(a!.offsetBytes + 64)
    expect(sizeBytes).toBe(b!.offsetBytes + 432)
    expect(bytes.subarray(b!.offsetBytes, sizeBytes).every((byte) => byte === 7)).toBe(true)
  })

  it('accepts tensors in any order of offsets, with gaps, and bytes after the last', async () => {
    const { tensors } = await parse({
      tensors: [
        floats('late', [8], { offset: 64 }),
        floats('early', [8], { offset: 0 }),
        floats('rest', [56], { offset: 96, bytes: new Uint8Array(512) }),
      ],
    })
    expect([...tensors.keys()]).toEqual(['late', 'early', 'rest'])
    expect(tensors.get('late')!.offsetBytes).toBe(tensors.get('early')!.offsetBytes + 64)
  })

  it('reads the header of the embedded model from its first chunk alone', async () => {
    const files: string[] = []
    const { source, manifest } = await openModelFolder('models/smollm2-135m-instruct-q4_1', {
      onProgress: ({ file }) => files.push(file),
    })
    const { metadata, tensors, sizeBytes } = await parseGguf(source)
    expect(sizeBytes).toBe(manifest.sizeBytes)
    expect(tensors.size).toBe(272)
    expect(metadata.get('general.architecture')).toBe('llama')
    expect(metadata.get('tokenizer.ggml.tokens')).toHaveLength(49_152)
    expect(metadata.get('tokenizer.ggml.merges')).toHaveLength(48_900)
    expect(tensors.get('token_embd.weight')).toMatchObject({ type: 'Q8_0', shape: [576, 49_152] })
    expect([...new Set(files)]).toEqual([manifest.chunks[0]!.file])
  })

  it('reads a header in steps, whatever its length', async () => {
    const strings = Array.from(
      { length: 60_000 },
      (_, index) => `a rather long token with the number ${index} ü`,
    )
    const bytes = writeGguf({ metadata: { strings: ['array', 'string', strings], end: ['uint32', 5] } })
    const source = counted(bytes, bytes.length + 2 ** 30)
    const { metadata } = await parseGguf(source)
    expect(metadata.get('strings')).toEqual(strings)
    expect(metadata.get('end')).toBe(5)
    expect(source.readBytes).toBeLessThan(2 * bytes.length)
  })

  it('stops when its signal fires, with the reason of the signal', async () => {
    const bytes = writeGguf({ metadata: { a: ['uint8', 1] } })
    const reason = new Error('enough')
    await expect(parseGguf(memorySource(bytes), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const slow: ByteSource = {
      sizeBytes: bytes.length,
      async read() {
        controller.abort(reason)
        return bytes
      },
    }
    await expect(parseGguf(slow, { signal: controller.signal })).rejects.toBe(reason)
  })
})

describe('parseGguf refuses', () => {
  const invalid: [what: string, file: WriterFile, message: RegExp][] = [
    ['an empty key', { metadata: { '': ['uint8', 1] } }, /empty/],
    ['a boolean of 2', { metadata: { a: ['bool', 2] } }, /boolean/],
    ['a boolean of 3 in an array', { metadata: { a: ['array', 'bool', [1, 3]] } }, /boolean/],
    ['an alignment of 0', { metadata: { 'general.alignment': ['uint32', 0] } }, /alignment/],
    ['an alignment of 48', { metadata: { 'general.alignment': ['uint32', 48] } }, /alignment/],
    ['an alignment of 2^31', { metadata: { 'general.alignment': ['uint32', 2 ** 31] } }, /alignment/],
    ['an alignment in letters', { metadata: { 'general.alignment': ['string', '32'] } }, /alignment/],
    ['a tensor name twice', { tensors: [floats('a', [4]), floats('a', [4])] }, /twice/],
    ['a tensor without name', { tensors: [floats('', [4])] }, /empty/],
    ['a tensor of no dimensions', { tensors: [floats('a', [])] }, /0 dimensions/],
    ['a tensor of 5 dimensions', { tensors: [floats('a', [1, 1, 1, 1, 1])] }, /5 dimensions/],
    ['an empty tensor', { tensors: [floats('a', [4, 0])] }, /empty/],
    [
      'a product of dimensions beyond 2^53',
      { tensors: [floats('a', [1], { shape: [2 ** 32, 2 ** 32] })] },
      /too many weights/,
    ],
    [
      'rows that are no whole number of blocks',
      { tensors: [{ name: 'a', type: 'Q4_K', shape: [128, 2], bytes: new Uint8Array(144) }] },
      /blocks of 256/,
    ],
    ['a tensor type that does not exist', { tensors: [floats('a', [4], { type: 5 })] }, /type 5/],
    ['an offset off the alignment', { tensors: [floats('a', [4], { offset: 8 })] }, /multiple of 32/],
    ['a tensor beyond the file', { tensors: [floats('a', [4], { offset: 4096 })] }, /file has/],
    ['a tensor longer than the file', { tensors: [floats('a', [4], { shape: [4096] })] }, /file has/],
    [
      'tensors that overlap',
      { tensors: [floats('a', [64]), floats('b', [8], { offset: 32 })] },
      /"a" and "b" overlap/,
    ],
    [
      'arrays nested too deep',
      {
        metadata: {
          a: [
            'array',
            'array',
            [1, 2, 3].reduce<TypedArray[]>((inner) => [['array', 'array', inner]], [['array', 'array', []]]),
          ],
        },
      },
      /nested/,
    ],
  ]
  for (const [what, file, message] of invalid) {
    it(`files with ${what}`, async () => {
      await expect(parse(file)).rejects.toMatchObject({
        code: 'invalid-model',
        message: expect.stringMatching(message) as string,
      })
    })
  }

  const unsupported: [what: string, file: WriterFile, message: RegExp][] = [
    ['version 1', { version: 1 }, /version 1/],
    ['version 4', { version: 4 }, /version 4/],
    ['big-endian numbers', { version: 0x03000000 }, /big-endian/],
    ['a tensor type that is not read here', { tensors: [floats('a', [256], { type: 16 })] }, /IQ2_XXS/],
    ['an integer of 2^53', { metadata: { a: ['uint64', 2n ** 53n] } }, /2\^53/],
    ['an integer of −2^60', { metadata: { a: ['int64', -(2n ** 60n)] } }, /2\^53/],
    ['an offset of 2^64 − 1', { tensors: [floats('a', [4], { offset: 2n ** 64n - 1n })] }, /2\^53/],
    ['a dimension of 2^63', { tensors: [floats('a', [1], { shape: [2n ** 63n] })] }, /2\^53/],
  ]
  for (const [what, file, message] of unsupported) {
    it(`files with ${what}`, async () => {
      await expect(parse(file)).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringMatching(message) as string,
      })
    })
  }

  it('a key there twice', async () => {
    const bytes = writeGguf({ metadata: { ka: ['uint8', 1], kb: ['uint8', 2] } })
    bytes[bytes.indexOf(0x62)] = 0x61
    await expect(parseGguf(memorySource(bytes))).rejects.toMatchObject({
      code: 'invalid-model',
      message: expect.stringMatching(/"ka" is there twice/) as string,
    })
  })

  it('files that are something else, or nothing', async () => {
    const others = [
      '',
      'GG',
      'GGUF',
      'GGUF\x03\0\0\0',
      'PK\x03\x04 and so on, a zip file',
      '<!doctype html><html>',
    ]
    for (const text of others) {
      await expect(parseGguf(memorySource(new TextEncoder().encode(text)))).rejects.toMatchObject({
        code: 'invalid-model',
      })
    }
  })

  it('bytes that are no UTF-8, alone and in arrays, also where two strings together would be', async () => {
    const bytes = writeGguf({ metadata: { a: ['string', 'ü'] } })
    bytes[bytes.length - 1 - [...bytes].reverse().indexOf(0xbc)] = 0x20
    await expect(parseGguf(memorySource(bytes))).rejects.toThrow(/UTF-8/)

    // Cut 'ü' in two: the lengths 2 and 1 of ['aü', 'b'] … become halves of one character.
    const split = writeGguf({ metadata: { a: ['array', 'string', ['xx', 'yy']] } })
    split[split.indexOf(0x78) + 1] = 0xc3
    split[split.indexOf(0x79)] = 0xbc
    await expect(parseGguf(memorySource(split))).rejects.toThrow(/UTF-8/)
  })

  it('counts and lengths that cannot be, without reading or allocating for them', async () => {
    const claims: { at: (bytes: Uint8Array) => number; file: WriterFile }[] = [
      { at: () => 8, file: { tensors: [floats('a', [4])] } }, // the number of tensors
      { at: () => 16, file: { metadata: { a: ['uint8', 1] } } }, // the number of entries
      { at: () => 24, file: { metadata: { a: ['uint8', 1] } } }, // the length of a key
      { at: (bytes) => bytes.indexOf(0x7a) - 8, file: { metadata: { a: ['string', 'z'] } } },
      { at: (bytes) => bytes.indexOf(0x7a) - 16, file: { metadata: { a: ['array', 'string', ['z']] } } },
      { at: (bytes) => bytes.indexOf(0x7a) - 8, file: { metadata: { a: ['array', 'string', ['z']] } } },
      {
        at: (bytes) => bytes.indexOf(0x7a) - 24,
        file: { metadata: { a: ['array', 'float64', [0]], z: ['bool', 1] } },
      },
    ]
    for (const { at, file } of claims) {
      for (const claim of [
        2n ** 20n + 1n,
        2n ** 26n,
        2n ** 31n,
        2n ** 32n,
        2n ** 40n,
        2n ** 52n,
        2n ** 53n,
        2n ** 64n - 1n,
      ]) {
        const bytes = writeGguf(file)
        new DataView(bytes.buffer).setBigUint64(at(bytes), claim, true)
        // In a larger file the smaller claims could be true.
        for (const sizeBytes of claim < 2n ** 26n ? [bytes.length] : [bytes.length, 2 ** 40]) {
          const source = counted(bytes, sizeBytes)
          await expect(parseGguf(source)).rejects.toMatchObject({
            code: expect.stringMatching(/^(invalid-model|unsupported)$/) as string,
          })
          expect(source.readBytes).toBeLessThanOrEqual(Math.min(sizeBytes, maxHeaderBytes))
        }
      }
    }
  })

  it('a header that never ends', async () => {
    // 60,000 keys of 4 MB each, all of them plausible by themselves.
    const bytes = writeGguf({ metadata: { key: ['string', 'x'.repeat(4_000_000)] } })
    const entry = bytes.subarray(24)
    new DataView(bytes.buffer).setBigUint64(16, 60_000n, true)
    const source: ByteSource = {
      sizeBytes: 2 ** 40,
      async read(offset, length) {
        return Uint8Array.from({ length }, (_, index) => {
          const at = offset + index
          return at < 24 ? bytes[at]! : entry[(at - 24) % (entry.length - ((entry.length + 24) % 32))]!
        })
      },
    }
    await expect(parseGguf(source)).rejects.toMatchObject({ code: 'invalid-model' })
  })

  it('a file cut anywhere', async () => {
    const whole = tinyModel({ architecture: 'llama', type: 'Q4_0', layers: 1 })
    const { sizeBytes } = await parseGguf(memorySource(whole))
    for (let cut = 0; cut < sizeBytes; cut += cut < 12_000 ? 97 : 10_007) {
      await expect(parseGguf(memorySource(whole.subarray(0, cut)))).rejects.toMatchObject({
        code: 'invalid-model',
      })
    }
    await expect(parseGguf(memorySource(whole.subarray(0, sizeBytes - 1)))).rejects.toMatchObject({
      code: 'invalid-model',
    })
  })
})
