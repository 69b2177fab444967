import { describe, expect, it } from 'vitest'
import {
  metadataBoolean,
  metadataCount,
  metadataNumbers,
  metadataString,
  metadataStrings,
} from '../../src/gguf/metadata'
import type { GgufValue } from '../../src/gguf/types'

const gguf = {
  metadata: new Map<string, GgufValue>([
    ['count', 5],
    ['negative', -1],
    ['fraction', 0.5],
    ['text', 'hello'],
    ['long', 'x'.repeat(100)],
    ['yes', true],
    ['strings', ['a', 'b']],
    ['empty', []],
    ['numbers', Float32Array.of(1, 2)],
    ['mixed', [['a'], Uint8Array.of(1)]],
  ]),
}

describe('metadata getters', () => {
  it('give values of their type', () => {
    expect(metadataCount(gguf, 'count')).toBe(5)
    expect(metadataString(gguf, 'text')).toBe('hello')
    expect(metadataBoolean(gguf, 'yes')).toBe(true)
    expect(metadataStrings(gguf, 'strings')).toEqual(['a', 'b'])
    expect(metadataStrings(gguf, 'empty')).toEqual([])
    expect(metadataNumbers(gguf, 'numbers')).toEqual(Float32Array.of(1, 2))
  })

  it('give the fallback for what is absent, undefined too', () => {
    expect(metadataCount(gguf, 'no', 7)).toBe(7)
    expect(metadataString(gguf, 'no', undefined)).toBeUndefined()
    expect(metadataBoolean(gguf, 'no', null)).toBeNull()
    expect(metadataCount(gguf, 'count', 7)).toBe(5)
  })

  const faults: [get: (key: string) => unknown, key: string, message: RegExp][] = [
    [(key) => metadataCount(gguf, key), 'no', /"no" must be a whole number, but it is absent/],
    [(key) => metadataCount(gguf, key, 1), 'negative', /it is -1/],
    [(key) => metadataCount(gguf, key), 'fraction', /it is 0.5/],
    [(key) => metadataString(gguf, key), 'count', /must be a string, but it is 5/],
    [(key) => metadataBoolean(gguf, key, true), 'long', /a boolean, but it is the string "x{40}…"/],
    [(key) => metadataStrings(gguf, key), 'mixed', /an array of strings, but it is an array of 2 entries/],
    [(key) => metadataNumbers(gguf, key), 'strings', /an array of numbers, but it is an array of 2 entries/],
    [(key) => metadataNumbers(gguf, key), 'yes', /but it is true/],
  ]
  for (const [get, key, message] of faults) {
    it(`say what is wrong: ${message.source}`, () => {
      expect(() => get(key)).toThrow(
        expect.objectContaining({
          code: 'invalid-model',
          details: { key },
          message: expect.stringMatching(message) as string,
        }),
      )
    })
  }
})
