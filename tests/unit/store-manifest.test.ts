import { readFile, readdir, stat } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseManifest } from '../../src/store/manifest'

const digest = '0123456789abcdef'.repeat(4)
const good = {
  schemaVersion: 1,
  id: 'tiny-q4_0',
  name: 'Tiny',
  architecture: 'llama',
  quantization: 'Q4_0',
  contextLength: 512,
  parameters: 1000,
  licence: 'MIT',
  source: { attribution: 'Someone' },
  file: 'Tiny.gguf',
  sizeBytes: 30,
  sha256: digest,
  chunks: [
    { file: 'chunk-00.bin', sizeBytes: 20, sha256: digest },
    { file: 'chunk-01.bin', sizeBytes: 10, sha256: digest },
  ],
}

/** The first chunk of 20 bytes with hashes of pieces. */
function withPieces(pieces: object): object {
  return { ...good, chunks: [{ ...good.chunks[0], pieces }, good.chunks[1]] }
}

const probe = {
  tokens: Array.from({ length: 21 }, (_, i) => i),
  readings: Array.from({ length: 9 }, () => ({ ids: [1, 2], logprobs: [-1, -2] })),
}

describe('parseManifest', () => {
  it('accepts a probe', () => {
    expect(parseManifest({ ...good, probe }).probe).toEqual(probe)
  })

  it('accepts hashes of pieces, the last one shorter', () => {
    const pieces = { sizeBytes: 8, sha256: [digest, digest, digest] }
    expect(parseManifest(withPieces(pieces)).chunks.map((chunk) => chunk.pieces)).toEqual([pieces, undefined])
  })

  it('accepts a manifest as text and as value', () => {
    expect(parseManifest(JSON.stringify(good))).toEqual(good)
    expect(
      parseManifest({ ...good, source: { attribution: 'a', url: 'https://example.org' } }).source.url,
    ).toBe('https://example.org')
  })

  const bad: [what: string, value: unknown, message: RegExp][] = [
    ['text that is no JSON', '<!doctype html>', /no JSON.*<!doctype/],
    ['null', null, /the manifest is null/],
    ['an array', [], /array of 0/],
    ['another schema version', { ...good, schemaVersion: 2 }, /schemaVersion is 2/],
    ['no id', { ...good, id: undefined }, /id is absent/],
    ['an id that leaves its folder', { ...good, id: '../x' }, /id is "\.\.\/x"/],
    ['a context of 0', { ...good, contextLength: 0 }, /contextLength is 0/],
    ['a size with a fraction', { ...good, sizeBytes: 30.5 }, /sizeBytes is 30.5/],
    ['a size beyond 2^53', { ...good, sizeBytes: 2 ** 60 }, /sizeBytes is 1152921504606847000/],
    ['no licence', { ...good, licence: '' }, /licence is ""/],
    ['a hash in capitals', { ...good, sha256: digest.toUpperCase() }, /sha256 is "0123/],
    ['no chunks', { ...good, chunks: [] }, /chunks is an array of 0/],
    [
      'a chunk elsewhere',
      { ...good, chunks: [{ ...good.chunks[0], file: 'a/b' }] },
      /chunks\.0\.file is "a\/b"/,
    ],
    ['a chunk at a URL', { ...good, chunks: [{ ...good.chunks[0], file: 'https:x' }] }, /chunks\.0\.file/],
    ['a hidden chunk', { ...good, chunks: [{ ...good.chunks[0], file: '..' }] }, /chunks\.0\.file/],
    [
      'an empty chunk',
      { ...good, chunks: [{ ...good.chunks[0], sizeBytes: 0 }] },
      /chunks\.0\.sizeBytes is 0/,
    ],
    ['chunks that do not add up', { ...good, sizeBytes: 31 }, /sizeBytes is 31, but .* 30 bytes/],
    [
      'a probe with too few tokens',
      { ...good, probe: { ...probe, tokens: [1, 2] } },
      /probe\.tokens is an array of 2/,
    ],
    [
      'a probe with a token below 0',
      { ...good, probe: { ...probe, tokens: [-1, ...probe.tokens.slice(1)] } },
      /probe\.tokens\.0 is -1/,
    ],
    [
      'a reading that does not fit its ids',
      { ...good, probe: { ...probe, readings: [{ ids: [1], logprobs: [] }, ...probe.readings.slice(1)] } },
      /probe\.readings\.0 is/,
    ],
    [
      'a probability above 1',
      { ...good, probe: { ...probe, readings: [{ ids: [1], logprobs: [1] }, ...probe.readings.slice(1)] } },
      /probe\.readings\.0\.logprobs\.0 is 1/,
    ],
    [
      'pieces of no size',
      withPieces({ sizeBytes: 0, sha256: [digest] }),
      /chunks\.0\.pieces\.sizeBytes is 0/,
    ],
    [
      'a piece without hash',
      withPieces({ sizeBytes: 20, sha256: [''] }),
      /chunks\.0\.pieces\.sha256\.0 is ""/,
    ],
    [
      'fewer pieces than a chunk has',
      withPieces({ sizeBytes: 6, sha256: [digest, digest, digest] }),
      /chunks\.0\.pieces are 3 of 6 bytes, but the chunk has 20/,
    ],
    [
      'more pieces than a chunk has',
      withPieces({ sizeBytes: 20, sha256: [digest, digest] }),
      /chunks\.0\.pieces are 2 of 20 bytes/,
    ],
    ['a chunk named twice', { ...good, sizeBytes: 40, chunks: [good.chunks[0], good.chunks[0]] }, /twice/],
  ]
  for (const [what, value, message] of bad) {
    it(`refuses ${what}`, () => {
      expect(() => parseManifest(value)).toThrow(
        expect.objectContaining({ code: 'invalid-model', message: expect.stringMatching(message) as string }),
      )
    })
  }
})

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

describe('the models of this repository', async () => {
  const folders = (await readdir('models', { withFileTypes: true })).filter((entry) => entry.isDirectory())
  it('are there', () => expect(folders.map((entry) => entry.name)).toContain('smollm2-135m-instruct-q4_1'))

  for (const { name } of folders) {
    it(`${name} is what its manifest says, with licence and attribution`, async () => {
      const folder = `models/${name}`
      const manifest = parseManifest(await readFile(`${folder}/manifest.json`, 'utf8'))
      expect(manifest.id).toBe(name)
      const whole = createHash('sha256')
      for (const chunk of manifest.chunks) {
        const bytes = await readFile(`${folder}/${chunk.file}`)
        expect(bytes.length).toBe(chunk.sizeBytes)
        expect(hashOf(bytes)).toBe(chunk.sha256)
        const { sizeBytes, sha256: hashes } = chunk.pieces!
        expect(sizeBytes).toBe(2 ** 20)
        expect(hashes).toEqual(
          hashes.map((_, index) => hashOf(bytes.subarray(index * sizeBytes, (index + 1) * sizeBytes))),
        )
        whole.update(bytes)
      }
      expect(whole.digest('hex')).toBe(manifest.sha256)
      expect((await readdir(folder)).filter((file) => file.endsWith('.bin'))).toEqual(
        manifest.chunks.map((chunk) => chunk.file),
      )
      expect((await stat(`${folder}/LICENSE`)).size).toBeGreaterThan(1000)
      expect(await readFile(`${folder}/README.md`, 'utf8')).toContain(manifest.source.url)
    })
  }
})
