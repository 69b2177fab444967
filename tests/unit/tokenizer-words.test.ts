import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPreTokenizer } from '../../src/tokenizer/pre-tokenizer'
import { tokenizerTexts } from '../fixtures/tokenizer-texts'

/** The published patterns, with \s as Rust and Python have it; the scanners must cut as these do. */
const space = String.raw`\p{White_Space}`
const patterns: Readonly<Record<string, RegExp>> = {
  'gpt-2': expression(String.raw`'(?:[stmd]|re|ve|ll)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?![^\s])|\s+`),
  // Digits are cut off first: the text before one ends there.
  smollm: expression(
    String.raw`'(?:[stmd]|re|ve|ll)| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?![^\s\p{N}])|\s+`,
  ),
  'llama-bpe': expression(
    String.raw`'(?:[stmdSTMD]|[rR][eE]|[vV][eE]|[lL][lL])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?![^\s])|\s+`,
  ),
  qwen2: expression(
    String.raw`'(?:[stmdSTMD]|[rR][eE]|[vV][eE]|[lL][lL])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?![^\s])|\s+`,
  ),
  qwen35: expression(
    String.raw`'(?:[stmdSTMD]|[rR][eE]|[vV][eE]|[lL][lL])|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?![^\s])|\s+`,
  ),
}

function expression(source: string): RegExp {
  return new RegExp(source.replaceAll(String.raw`[^\s`, `[^${space}`).replaceAll(String.raw`\s`, space), 'gu')
}

function wordsOf(name: string, text: string): string[] {
  const words: string[] = []
  createPreTokenizer(name).split(text, (word) => words.push(word))
  return words
}

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      ...Array.from(" \n\r\t\u00a0\u3000\u0085'sStTrReEvVlLdDmM019aZ.<|>éßЖ漢かअ्\u0301\ud800٣½👍"),
    ),
    fc.constantFrom("'s", "'LL", '  ', '\r\n', '12345', 'word', '𠮷', '\ufeff'),
  ),
  maxLength: 40,
})

describe('createPreTokenizer', () => {
  it.each(Object.entries(patterns))('%s cuts words as the published pattern does', (name, pattern) => {
    fc.assert(
      fc.property(text, (value) => {
        expect(wordsOf(name, value)).toEqual(value.match(pattern) ?? [])
      }),
      { numRuns: 500 },
    )
    for (const value of tokenizerTexts(300)) expect(wordsOf(name, value)).toEqual(value.match(pattern) ?? [])
  })

  it('without a name cuts off punctuation and groups digits by three', () => {
    expect(wordsOf('default', "it's 12345 (or 1234567)...  end")).toEqual([
      'it', "'", 's', ' ', '123', '45', ' ', '(', 'or', ' ', '123', '456', '7', ')...', ' ', ' end',
    ]) // prettier-ignore
  })

  it('covers the text, whatever it is', () => {
    for (const name of [...Object.keys(patterns), 'default']) {
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), (value) => wordsOf(name, value).join('') === value),
      )
    }
  })

  it('takes long runs of anything without trouble', () => {
    for (const name of [...Object.keys(patterns), 'default']) {
      for (const piece of ['a', ' ', '\n', '\n ', '1', '-', "'", "a'", ' \u0301']) {
        const long = piece.repeat(200_000 / piece.length)
        expect(wordsOf(name, long).join('')).toBe(long)
      }
    }
  })

  it('refuses unknown names, those of Object among them', () => {
    for (const name of ['falcon-9', 'constructor', '']) {
      expect(() => createPreTokenizer(name)).toThrow(
        expect.objectContaining({
          code: 'unsupported',
          message: expect.stringContaining(`"${name}"`) as string,
        }),
      )
    }
  })
})
