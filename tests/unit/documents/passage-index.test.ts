import { describe, expect, it } from 'vitest'
import { citable, CitingText } from '../../../src/widget/documents/cite'
import { cutPassages } from '../../../src/widget/documents/cut-passages'
import { collectInTurns } from '../../../src/widget/documents/in-turns'
import { PassageIndex } from '../../../src/widget/documents/passage-index'
import { readMarkdown } from '../../../src/widget/documents/read-markdown'
import { tellingWordsOf, wordsOf } from '../../../src/widget/documents/words-of'

const HANDBOOK = `# Library

## Opening hours

The library opens at ten and closes at six. On Sundays it is closed.

## Cards

A card costs five euros a year. Children pay nothing.

## 自行车

自行车可以停在后院。
`

function indexOf(...documents: [name: string, text: string][]): PassageIndex {
  const index = new PassageIndex()
  for (const [name, text] of documents) {
    const document = readMarkdown(text)
    const added = [...index.add({ ...document, id: name, name }, cutPassages(document))]
    expect(added.length).toBeGreaterThan(0)
  }
  return index
}

describe('PassageIndex', () => {
  it('finds by words in any form, in titles too, and says how much of the question is there', () => {
    const index = indexOf(['handbook.md', HANDBOOK])
    const [best] = index.find('When is the library opening?', 3)
    expect(best).toMatchObject({ documentId: 'handbook.md', headings: ['Library', 'Opening hours'] })
    expect(best!.text).toContain('opens at ten')
    expect(best!.coverage).toBe(1)
    expect(index.find('How much is the card for a child?', 1)[0]!.text).toContain('five euros')
    expect(index.find('停自行车', 1)[0]!.text).toContain('后院')
    expect(index.find('volcano', 3)).toEqual([])
    expect(index.find('the of and', 3)).toEqual([])
    expect(index.find('volcano card', 1)[0]!.coverage).toBeLessThan(0.6)
  })

  it('forgets a document that is removed', () => {
    const index = indexOf(['a.md', HANDBOOK], ['b.md', 'The library has a garden.'])
    expect(index.find('library garden', 9).map(({ documentId }) => documentId)).toContain('b.md')
    index.remove('b.md')
    expect(index.find('garden', 9)).toEqual([])
    expect(index.passagesOf('b.md')).toEqual([])
    expect(index.find('cards', 9)[0]!.documentId).toBe('a.md')
  })
})

describe('words', () => {
  it('are compared without case, accents, plural and verb endings', () => {
    expect(wordsOf('Crème brûlées OPENING opened cities buses glass sing')).toEqual(
      wordsOf('creme brulee open open city buse glass sing'),
    )
    expect(wordsOf('図書館')).toEqual(['図書', '書館'])
    expect(tellingWordsOf('What does the price of it say?')).toEqual(['price', 'say'])
  })
})

describe('collectInTurns', () => {
  it('gives others a turn, and stops when it is told', async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('enough')), 30)
    function* forever(): Generator<number> {
      for (;;) yield 1
    }
    await expect(collectInTurns(forever(), controller.signal)).rejects.toThrow('enough')
  })
})

describe('CitingText', () => {
  const passages = [
    'The library opens at ten and closes at six.',
    'A card costs five euros, or 12 for two years.',
  ]
  const quotes = passages.map((text, i) => ({ ...citable(text), label: i + 1 }))
  const cite = (text: string, size = 3): string => {
    const citing = new CitingText({ passagesFor: () => quotes, labelOf: ({ label }) => label })
    let shown = ''
    for (let at = 0; at < text.length; at += size) shown += citing.push(text.slice(at, at + size))
    return shown + citing.end()
  }

  it('marks sentences that a passage bears out, wherever the text is cut', () => {
    const text = 'It opens at ten. A card costs five euros! Elephants sleep in the garden.\n'
    const marked = 'It opens at ten. [1] A card costs five euros! [2] Elephants sleep in the garden.\n'
    for (const size of [1, 2, 5, 1000]) expect(cite(text, size)).toBe(marked)
  })

  it('does not mark a number that stands nowhere, nor what says too little', () => {
    expect(cite('A card costs 13 euros for two years.')).toBe('A card costs 13 euros for two years.')
    expect(cite('A card costs 12 euros for two years.')).toBe('A card costs 12 euros for two years. [2]')
    expect(cite('Yes. It opens at ten.')).toBe('Yes. It opens at ten. [1]')
    expect(cite('')).toBe('')
  })

  it('marks the lines of a list', () => {
    expect(cite('- opens at ten\n- costs five euros\n')).toBe('- opens at ten [1]\n- costs five euros [2]\n')
  })
})
