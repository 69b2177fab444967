import type { ChatCompletionChunk, Engine } from '../../src/contract/engine'
import { createLocalEngine, type LocalEngineOptions } from '../../src/engine/local-engine'
import {
  createByteTokenizer,
  createMockBackend,
  type MockBackend,
  type MockBackendOptions,
} from '../../src/testing/index'

export const tokenizer = createByteTokenizer()
const chatTemplate = { encode: tokenizer.encodeChat }

export interface Harness {
  engine: Engine
  backend: MockBackend
}

/** An engine over the mock backend and bytes as tokens. */
export function createHarness(
  backendOptions: Partial<MockBackendOptions> & Pick<MockBackendOptions, 'logits'>,
  engineOptions: Partial<LocalEngineOptions> = {},
): Harness {
  const backend = createMockBackend({ vocabularySize: tokenizer.vocabularySize, ...backendOptions })
  const engine = createLocalEngine({
    id: 'mock-model',
    backend,
    tokenizer,
    chatTemplate,
    contextLength: 512,
    ...engineOptions,
  })
  return { engine, backend }
}

/** Logits that make `token` certain. */
export function only(token: number): Float32Array {
  const row = new Float32Array(tokenizer.vocabularySize)
  row[token] = 30
  return row
}

/** A model that says `text` after the last assistant token, then ends its turn. */
export function says(text: string): (tokens: readonly number[]) => Float32Array {
  const ids = [...tokenizer.encode(text), tokenizer.endOfTurn]
  return (tokens) => {
    const answered = tokens.length - 1 - tokens.lastIndexOf(259)
    return only(ids[answered] ?? tokenizer.endOfTurn)
  }
}

/** A model of random but fixed logits that depend on the last `order` tokens; small orders repeat themselves. */
export function randomModel(
  seed: number,
  options: { order: number; spread: number; letters: number; endBias?: number },
): (tokens: readonly number[]) => Float32Array {
  return (tokens) => {
    let state = seed | 0
    for (const token of tokens.slice(-options.order)) state = mix(state ^ Math.imul(token + 1, 0x9e3779b1))
    const row = new Float32Array(tokenizer.vocabularySize).fill(-40)
    for (let i = 0; i < options.letters; i++) {
      state = mix(state + 0x6d2b79f5)
      row[97 + i] = ((state >>> 0) / 2 ** 32) * options.spread
    }
    row[tokenizer.endOfTurn] = options.endBias ?? -40
    return row
  }
}

export function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return mixed ^ (mixed >>> 15)
}

export const user = (content: string): { role: 'user'; content: string } => ({ role: 'user', content })

export async function collect(chunks: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletionChunk[]> {
  const all: ChatCompletionChunk[] = []
  for await (const chunk of chunks) all.push(chunk)
  return all
}

export function textOf(chunks: readonly ChatCompletionChunk[]): string {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')
}

/** What a promise rejects with; fails where it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('expected a rejection')
}
