import { execFile } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeModelFolder } from '../../src/workbench/node-model-folder'
import { checkProbe } from '../../src/backend/device/probe'
import { loadWasm } from '../../src/backend/wasm'
import { parseGguf } from '../../src/gguf/parse'
import { readModel } from '../../src/model/read-model'
import { memorySource } from '../../src/store/memory-source'
import { openModelFolder } from '../../src/store/node-file'
import { writeGguf } from '../fixtures/gguf-writer'
import { tinyModel } from '../fixtures/tiny-models'

const model = tinyModel({ architecture: 'qwen3', type: 'Q4_0' })
let folder: string
let file: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'minnow-'))
  file = join(folder, 'Tiny Qwen3.Q4_0.gguf')
  await writeFile(file, model)
})
afterAll(() => rm(folder, { recursive: true }))

describe('makeModelFolder', () => {
  it('cuts a file so that the chunks give it back', async () => {
    const parent = join(folder, 'a')
    const made = await makeModelFolder({ file, parent, chunkSizeBytes: 100_000, pieceSizeBytes: 30_000 })
    expect(made.folder).toBe(join(parent, 'tiny-qwen3-q4_0'))
    expect(made.manifest).toMatchObject({
      id: 'tiny-qwen3-q4_0',
      name: 'Tiny random qwen3 Q4_0',
      architecture: 'qwen3',
      quantization: 'Q4_0',
      contextLength: 512,
      licence: 'Apache-2.0',
      file: 'Tiny-Qwen3.Q4_0.gguf',
      sizeBytes: model.length,
    })
    expect(made.manifest.chunks).toHaveLength(Math.ceil(model.length / 100_000))
    expect(made.manifest.chunks[0]?.pieces).toMatchObject({ sizeBytes: 30_000 })
    expect(made.manifest.chunks[0]?.pieces?.sha256).toHaveLength(4)
    const { manifest, source } = await openModelFolder(made.folder)
    expect(manifest).toEqual(made.manifest)
    expect(await source.read(0, source.sizeBytes)).toEqual(model)
    expect((await parseGguf(source)).metadata.get('general.architecture')).toBe('qwen3')
  })

  it('makes a probe that another backend passes, unless told not to', async () => {
    const made = await makeModelFolder({ file, parent: join(folder, 'probe'), id: 'with' })
    const bytes = memorySource(model)
    const backend = await loadWasm({
      model: await readModel(await parseGguf(bytes), bytes),
      bytes,
      threads: 1,
    })
    expect(await checkProbe(backend, made.manifest.probe!)).toMatchObject({ problem: null })
    const [first, ...others] = made.manifest.probe!.tokens
    const other = { ...made.manifest.probe!, tokens: [...others, first!] }
    expect((await checkProbe(backend, other)).problem).toMatch(/probe/)
    backend.dispose()
    const without = await makeModelFolder({
      file,
      parent: join(folder, 'probe'),
      id: 'without',
      probe: false,
    })
    expect(without.manifest).not.toHaveProperty('probe')
  })

  it('makes the same bytes from the same file', async () => {
    const contents = async (parent: string): Promise<[string, string][]> => {
      const made = await makeModelFolder({
        file,
        parent: join(folder, parent),
        id: 'same',
        chunkSizeBytes: 300_000,
      })
      const names = (await readdir(made.folder)).toSorted()
      return Promise.all(
        names.map(async (name): Promise<[string, string]> => [
          name,
          await readFile(join(made.folder, name), 'base64'),
        ]),
      )
    }
    expect(await contents('first')).toEqual(await contents('second'))
  })

  it('replaces a folder only if forced, and then leaves nothing of the old one', async () => {
    const options = { file, parent: join(folder, 'b'), id: 'x' }
    await makeModelFolder({ ...options, chunkSizeBytes: 70_000 })
    await expect(makeModelFolder(options)).rejects.toMatchObject({ code: 'invalid-argument' })
    const { manifest } = await makeModelFolder({ ...options, force: true, licence: 'MIT', name: 'Another' })
    expect(manifest).toMatchObject({ licence: 'MIT', name: 'Another' })
    expect((await readdir(join(options.parent, 'x'))).toSorted()).toEqual([
      manifest.chunks[0]!.file,
      'manifest.json',
    ])
  })

  it('refuses bad files and options before it writes anything', async () => {
    const parent = join(folder, 'c')
    const cases: [Uint8Array, object, string][] = [
      [model.subarray(0, model.length / 2), {}, 'invalid-model'],
      [new Uint8Array(100), {}, 'invalid-model'],
      [writeGguf({ metadata: { 'general.architecture': ['string', 'llama'] } }), {}, 'invalid-model'],
      [
        tinyModel({ architecture: 'llama', metadata: { 'general.license': ['string', ''] } }),
        {},
        'invalid-argument',
      ],
      [model, { id: '../up' }, 'invalid-model'],
      [model, { chunkSizeBytes: 10 }, 'invalid-argument'],
      [model, { chunkSizeBytes: Number.NaN }, 'invalid-argument'],
    ]
    for (const [bytes, options, code] of cases) {
      const path = join(folder, 'case.gguf')
      await writeFile(path, bytes)
      await expect(makeModelFolder({ file: path, parent, ...options })).rejects.toMatchObject({ code })
    }
    await expect(makeModelFolder({ file: join(folder, 'no.gguf'), parent })).rejects.toMatchObject({
      code: 'invalid-argument',
    })
    await expect(readdir(parent)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('minnow models add', () => {
  const run = async (...parameters: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      'src/cli/main.ts',
      'models',
      'add',
      ...parameters,
    ])

  it('makes a folder', async () => {
    const { stdout } = await run(
      file,
      '--id',
      'cli',
      '--parent',
      folder,
      '--chunk-size',
      '256K',
      '--licence',
      'MIT',
    )
    expect(stdout).toMatch(/qwen3, Q4_0, \d+ weights, 4 chunks, \d+ bytes, MIT/)
    expect((await openModelFolder(join(folder, 'cli'))).manifest.id).toBe('cli')
  })

  it('fails with the reason', async () => {
    await expect(run(file, '--id', 'cli', '--parent', folder)).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/exists. Give --force/) as string,
    })
    await expect(run()).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/FILE.gguf/) as string,
    })
  })
})
