import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand, type Command } from '../../src/cli/command'
import { evaluate } from '../../src/cli/evaluate'
import { models } from '../../src/cli/models'
import { parseManifest } from '../../src/store/manifest'
import { makeModelFolder } from '../../src/workbench/node-model-folder'
import { tinyModel } from '../fixtures/tiny-models'

interface Outcome {
  code: number
  output: string
  messages: string
}

async function run(command: Command, ...argv: string[]): Promise<Outcome> {
  const outcome: Outcome = { code: -1, output: '', messages: '' }
  outcome.code = await runCommand(command, argv, {
    output: { write: (text) => (outcome.output += text) },
    messages: { write: (text) => (outcome.messages += text) },
    onInterrupt: () => undefined,
  })
  return outcome
}

let folder: string
let model: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'minnow-'))
  const file = join(folder, 'tiny.gguf')
  await writeFile(file, tinyModel({ architecture: 'qwen3', type: 'Q4_0' }))
  const made = await makeModelFolder({
    file,
    parent: folder,
    id: 'tiny',
    chunkSizeBytes: 200_000,
    pieceSizeBytes: 50_000,
    probe: false,
  })
  model = made.folder
})
afterAll(() => rm(folder, { recursive: true }))

describe('minnow models', () => {
  it('lists folders and files, and says what cannot be read', async () => {
    await writeFile(join(folder, 'broken.gguf'), 'GGUF but not for long')
    const { code, output } = await run(models, 'list', folder)
    expect(code).toBe(0)
    expect(output).toMatch(/tiny\.gguf .*MB {2}Q4_0 {2}Apache-2\.0 {2}Tiny random qwen3 Q4_0/)
    expect(output).toMatch(/tiny .*MB {2}Q4_0 /)
    expect(output.split('\n').find((line) => line.includes('broken.gguf'))).toMatch(/ends at byte|file/)
    const json = JSON.parse((await run(models, 'list', model, '--json')).output) as { sizeBytes: number }[]
    const manifest = parseManifest(await readFile(join(model, 'manifest.json'), 'utf8'))
    expect(json).toMatchObject([{ path: model, sizeBytes: manifest.sizeBytes, missingChunks: 0 }])
  })

  it('verifies a folder, and names the bytes that are damaged', async () => {
    const good = await run(models, 'verify', model)
    expect(good).toMatchObject({ code: 0, output: expect.stringContaining('as it should be') as string })
    const copy = join(folder, 'copy')
    await cp(model, copy, { recursive: true })
    const { chunks } = parseManifest(await readFile(join(copy, 'manifest.json'), 'utf8'))
    const chunk = join(copy, chunks[1]!.file)
    const bytes = await readFile(chunk)
    bytes[60_000]! ^= 1
    await writeFile(chunk, bytes)
    const damaged = await run(models, 'verify', copy)
    expect(damaged.code).toBe(1)
    expect(damaged.output).toContain(`${chunks[1]!.file}: bytes 50000 to 99999 are damaged`)
    await rm(chunk)
    expect((await run(models, 'verify', copy)).output).toContain(`${chunks[1]!.file} is missing`)
    expect((await run(models, 'list', copy)).output).toContain('1 chunks are missing')
  })

  it('verifies a file: weights that are no numbers are found', async () => {
    const bad = tinyModel({ architecture: 'llama', type: 'F32', layers: 1 })
    // The last weight of the file.
    new DataView(bad.buffer).setFloat32(bad.length - 4, Number.NaN, true)
    const file = join(folder, 'nan.gguf')
    await writeFile(file, bad)
    const { code, output } = await run(models, 'verify', file)
    expect(code).toBe(1)
    expect(output).toContain('no numbers')
  })

  it.each([
    [[], 'Which of list, verify, add, quantize?'],
    [['remove'], 'There is no "models remove"'],
    [['verify'], 'Give folders'],
    [['verify', '/nowhere/at/all'], 'There is no model at'],
    [['list', '/nowhere/at/all'], 'There is nothing at'],
    [['add'], 'Give one FILE.gguf'],
    [['quantize', 'a.gguf'], 'Give IN.gguf and OUT.gguf'],
    [['quantize', 'a.gguf', 'b.gguf'], 'Give --type'],
    [['quantize', 'a.gguf', 'b.gguf', '--type', 'q3_k'], '--type must be one of'],
    [['quantize', 'a.gguf', 'b.gguf', '--type', 'mixed'], '--text'],
    [['quantize', 'a.gguf', 'b.gguf', '--type', 'q8_0', '--max-bytes', 'big'], '--max-bytes'],
  ])('refuses %j with words', async (argv, words) => {
    const { code, messages } = await run(models, ...argv)
    expect(code).toBe(2)
    expect(messages).toContain(words)
  })
})

describe('minnow eval', () => {
  it('scores choices by their log-probability, each way of comparing them', async () => {
    const data = join(folder, 'choices.jsonl')
    const item = { query: 'Question: is it so?', choices: ['yes', 'no', 'perhaps not at all'], gold: 0 }
    await writeFile(data, `${JSON.stringify(item)}\n${JSON.stringify({ ...item, gold: 1 })}\nnot json\n`)
    const { code, output, messages } = await run(
      evaluate,
      'choice',
      '--data',
      data,
      '--model',
      join(folder, 'tiny.gguf'),
      '--threads',
      '1',
      '--json',
    )
    expect(code, messages).toBe(0)
    const result = JSON.parse(output) as { questions: number; skippedLines: number; accuracy: object }
    expect(result).toMatchObject({ questions: 2, skippedLines: 1 })
    expect(Object.keys(result.accuracy)).toEqual(['sum', 'byToken', 'byByte'])
    // The same question with two answers: each way is right once at most.
    for (const share of Object.values(result.accuracy)) expect([0, 0.5]).toContain(share)
  })

  it.each([
    [[], 'Which of perplexity or choice?'],
    [['perplexity'], 'Give --text'],
    [['choice'], 'Give --data'],
    [['perplexity', '--text', 'x', '--context', '2'], '--context must be 4 or more'],
  ])('refuses %j with words', async (argv, words) => {
    const { code, messages } = await run(evaluate, ...argv)
    expect(code).toBe(2)
    expect(messages).toContain(words)
  })
})
