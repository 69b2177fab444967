import { getLlama, LlamaLogLevel } from 'node-llama-cpp'
import type { Llama, LlamaModel, Token } from 'node-llama-cpp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseGguf } from '../../src/gguf/parse'
import type { GgufValue } from '../../src/gguf/types'
import { openFileSource } from '../../src/store/node-file'
import { createTokenizer } from '../../src/tokenizer/tokenizer'
import type { Tokenizer } from '../../src/tokenizer/tokenizer'
import { tokenizerTexts } from '../fixtures/tokenizer-texts'
import { vocabularyFile } from './llama-cpp-files'
import { openSmolLm2 } from './model-files'

/** A vocabulary, with metadata in place of the file's own. */
interface Case {
  name: string
  path: () => Promise<string>
  texts: number
  overrides?: { pre?: string; add_space_prefix?: boolean }
}

const cases: readonly Case[] = [
  { name: 'SmolLM2', path: async () => (await openSmolLm2()).path, texts: 5200 },
  { name: 'Llama 3', path: () => vocabularyFile('llama-bpe'), texts: 2000 },
  { name: 'Qwen 2', path: () => vocabularyFile('qwen2'), texts: 2000 },
  { name: 'Qwen 3.5', path: () => vocabularyFile('qwen35'), texts: 1000 },
  { name: 'GPT-2', path: () => vocabularyFile('gpt-2'), texts: 2000 },
  {
    name: 'no pre-tokenizer',
    path: () => vocabularyFile('gpt-2'),
    texts: 2000,
    overrides: { pre: 'default' },
  },
  { name: 'StarCoder', path: () => vocabularyFile('starcoder'), texts: 1000 },
  { name: 'Llama 2', path: () => vocabularyFile('llama-spm'), texts: 2000 },
  {
    name: 'Llama 2 without space prefix, as Gemma',
    path: () => vocabularyFile('llama-spm'),
    texts: 2000,
    overrides: { add_space_prefix: false },
  },
]

let llama: Llama

beforeAll(async () => {
  llama = await getLlama({
    gpu: false,
    build: 'never',
    progressLogs: false,
    logLevel: LlamaLogLevel.disabled,
  })
})

afterAll(async () => {
  await llama.dispose()
})

describe.each(cases)('the tokenizer against llama.cpp: $name', ({ path, texts: count, overrides }) => {
  const texts = tokenizerTexts(count)
  let native: LlamaModel
  let tokenizer: Tokenizer

  beforeAll(async () => {
    const modelPath = await path()
    native = await llama.loadModel({
      modelPath,
      vocabOnly: true,
      ...(overrides === undefined ? {} : { metadataOverrides: { tokenizer: { ggml: overrides } } }),
    })
    const file = await openFileSource(modelPath)
    const { metadata } = await parseGguf(file)
    await file.close()
    const changed = Object.entries(overrides ?? {}).map(([key, value]): [string, GgufValue] => [
      `tokenizer.ggml.${key}`,
      value,
    ])
    tokenizer = createTokenizer({ metadata: new Map([...metadata, ...changed]) })
  })

  afterAll(async () => {
    await native.dispose()
  })

  it.each([false, true])('gives the same ids for every text (special tokens: %s)', (special) => {
    const different = texts.filter(
      (text) => !isEqual(tokenizer.encode(text, { special }), native.tokenize(text, special)),
    )
    expect(different.slice(0, 5)).toEqual([])
  })

  it('makes no special token from plain text and gives the text back', () => {
    const isSpecial = texts.filter((text) => tokenizer.encode(text).some((id) => tokenizer.isSpecial(id)))
    expect(isSpecial.slice(0, 5)).toEqual([])
    const known = bytesOfOneToken(tokenizer)
    // SentencePiece writes spaces as U+2581 and cannot tell the two apart.
    const changed = texts.filter(
      (text) => !text.includes('▁') && tokenizer.decode(tokenizer.encode(text)) !== throughBytes(text, known),
    )
    expect(changed.slice(0, 5)).toEqual([])
  })

  it('ends generations at the same tokens and knows the same special ones', () => {
    const ids = Array.from({ length: tokenizer.vocabularySize }, (_, id) => id)
    expect([...tokenizer.endOfGeneration].toSorted((a, b) => a - b)).toEqual(
      ids.filter((id) => native.isEogToken(id as Token)),
    )
    expect(tokenizer.bosId).toBe(native.tokens.bos)
    expect(tokenizer.eosId).toBe(native.tokens.eos)
    expect(ids.filter((id) => tokenizer.isSpecial(id) !== native.isSpecialToken(id as Token))).toEqual([])
  })
})

function isEqual(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index])
}

/** SmolLM2 has no token for 21 bytes, 0xC7 among them, and drops them. */
function bytesOfOneToken(tokenizer: Tokenizer): ReadonlySet<number> {
  const pieces = Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.bytesOf(id))
  return new Set(pieces.flatMap((bytes) => (bytes.length === 1 ? [...bytes] : [])))
}

/** The text as UTF-8 of known bytes, and back: with U+FFFD for unpaired surrogates and for what is broken by the loss. */
function throughBytes(text: string, known: ReadonlySet<number>): string {
  const bytes = new TextEncoder().encode(text).filter((byte) => known.has(byte))
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
