import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTokenizer } from '../../../src/tokenizer/tokenizer'
import { cleanText } from '../../../src/widget/documents/clean-text'
import { cutPassages } from '../../../src/widget/documents/cut-passages'
import type { DocumentText } from '../../../src/widget/documents/document-text'
import { estimateTokens } from '../../../src/widget/documents/estimate-tokens'
import { readMarkdown } from '../../../src/widget/documents/read-markdown'
import { readFileSync } from 'node:fs'
import { openSmolLm2Header } from '../../fixtures/smollm2-vocabulary'

function plain(text: string, pageStarts: number[] = []): DocumentText {
  return { kind: 'text', text, headings: [], pageStarts }
}

function textsOf(document: DocumentText, tokens?: number): string[] {
  const options = tokens === undefined ? {} : { tokens }
  return [...cutPassages(document, options)].map(({ start, end }) => document.text.slice(start, end))
}

describe('cutPassages', () => {
  it('keeps paragraphs whole where they fit, and puts short ones together', () => {
    const long = 'The small fish swims in the river. '.repeat(6).trim()
    expect(textsOf(plain(`One.\n\nTwo.\n\n${long}\n\nThree.`), 51)).toEqual([
      'One.\n\nTwo.',
      `${long}\n\nThree.`,
    ])
  })

  it('cuts long paragraphs at sentences, long sentences at words and long words anywhere', () => {
    const sentences = textsOf(plain('A fish swims here. '.repeat(40)), 30)
    expect(sentences.length).toBeGreaterThan(3)
    for (const text of sentences) expect(text).toMatch(/^A fish .*here\.$/)
    for (const text of textsOf(plain('word '.repeat(200)), 20)) expect(text).toMatch(/^(?:word )*word$/)
    const emoji = textsOf(plain('🐟'.repeat(500)), 20)
    expect(emoji.join('')).toBe('🐟'.repeat(500))
    for (const text of emoji) expect(text.isWellFormed()).toBe(true)
  })

  it('never cuts across titles, and says which stand above', () => {
    const document = readMarkdown(
      'Before.\n\n# Fish\n\nSmall.\n\n## Trout\n\nBrown.\n\nBirds\n=====\n\n## Owl\n',
    )
    const cut = [...cutPassages(document)]
    expect(cut.map(({ headings }) => headings)).toEqual([[], ['Fish'], ['Fish', 'Trout'], ['Birds', 'Owl']])
    expect(cut.map(({ start, end }) => document.text.slice(start, end))).toEqual([
      'Before.',
      'Small.',
      'Brown.',
      // A title with nothing below would be told of by nobody.
      '## Owl',
    ])
  })

  it('says the page', () => {
    const text = 'One.\n\nTwo.\n\nThree.'
    const pages = [
      ...cutPassages(plain(text, [0, text.indexOf('Two'), text.indexOf('Three')]), { tokens: 2 }),
    ]
    expect(pages.map(({ page }) => page)).toEqual([1, 2, 3])
    expect([...cutPassages(plain(text))][0]!.page).toBeNull()
  })

  it('leaves out nothing but blanks, repeats nothing and keeps the limit', () => {
    const piece = fc.oneof(
      fc.constantFrom('\n', '\n\n', ' ', '. ', '# ', '漢字', '🐟', 'a'.repeat(90)),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 8, max: 60 }), (pieces, tokens) => {
        const text = cleanText(pieces.join(''))
        const passages = [...cutPassages(plain(text), { tokens })]
        let at = 0
        for (const { start, end } of passages) {
          expect(text.slice(at, start).trim()).toBe('')
          expect(end).toBeGreaterThan(start)
          at = end
        }
        expect(text.slice(at).trim()).toBe('')
        // A piece of a word may be estimated at more than its characters, by a token for each.
        for (const { start, end } of passages) {
          expect(estimateTokens(text.slice(start, end))).toBeLessThanOrEqual(tokens * 2.5)
        }
      }),
      { seed: 7, numRuns: 200 },
    )
  })
})

describe('readMarkdown', () => {
  it('finds titles, but not in code', () => {
    const { headings, text } = readMarkdown(
      '# A *b* `c`\n```sh\n# no\n```\n~~~\nno\n==\n~~~\nSub\n---\n#no\n\n---\n',
    )
    expect(headings.map(({ level, title }) => [level, title])).toEqual([
      [1, 'A b c'],
      [2, 'Sub'],
    ])
    expect(headings.map(({ at, end }) => text.slice(at, end))).toEqual(['# A *b* `c`', 'Sub\n---'])
  })
})

describe('cleanText', () => {
  it('removes what is not seen and keeps what is', () => {
    expect(cleanText('a\u200bb\u202ec\u{e0041}d\u00ade\0f\r\ng\ufeff')).toBe('abcdef\ng')
    expect(cleanText('می\u200cخواهم')).toBe('می\u200cخواهم')
    expect(cleanText('a\ud800b')).toBe('a\ufffdb')
    expect(cleanText('e\u0301')).toBe('é')
  })
})

describe('estimateTokens', () => {
  it('is near the embedded model’s count in English, code and other scripts', async () => {
    const tokenizer = createTokenizer(await openSmolLm2Header())
    for (const file of ['docs/escalation.md', 'LICENSE', 'src/engine/local-engine.ts']) {
      const text = readFileSync(file, 'utf8')
      const ratio = estimateTokens(text) / tokenizer.encode(text).length
      expect(ratio).toBeGreaterThan(0.9)
      expect(ratio).toBeLessThan(1.25)
    }
    const german =
      'Die Bibliothek öffnet um zehn Uhr und schließt abends um achtzehn Uhr; Ausweise gibt es am Schalter.'
    const chinese = '图书馆早上十点开门，晚上六点关门，借书期限为四周。'
    for (const text of [german, chinese]) {
      const ratio = estimateTokens(text) / tokenizer.encode(text).length
      expect(ratio).toBeGreaterThan(0.55)
      expect(ratio).toBeLessThan(1.5)
    }
  })
})
