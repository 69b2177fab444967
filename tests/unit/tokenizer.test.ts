import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { createTokenizer } from '../../src/tokenizer/tokenizer'
import type { Tokenizer } from '../../src/tokenizer/tokenizer'
import { openSmolLm2Header } from '../fixtures/smollm2-vocabulary'
import { bytePairFile, sentencePieceFile } from '../fixtures/tiny-vocabularies'
import { tokenizerTexts } from '../fixtures/tokenizer-texts'

let smolLm2: Tokenizer

beforeAll(async () => {
  smolLm2 = createTokenizer(await openSmolLm2Header())
})

/** Text with special tokens and pieces of them in it. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '<|im_start|>',
        '<|im_end|>',
        '<|endoftext|>',
        '<repo_name>',
        '<|',
        '|>',
        '<',
        '<|im_',
        'end|>',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''))

describe('the tokenizer of SmolLM2', () => {
  it('knows its vocabulary', () => {
    expect(smolLm2.vocabularySize).toBe(49_152)
    expect([smolLm2.bosId, smolLm2.eosId, smolLm2.addsBos]).toEqual([1, 2, false])
    // <|endoftext|>, <|im_end|> and, as llama.cpp has it, <reponame>.
    expect([...smolLm2.endOfGeneration].toSorted((a, b) => a - b)).toEqual([0, 2, 4])
    expect(smolLm2.specialTexts).toContain('<|im_end|>')
    expect([0, 16, 17, -1, 49_152].map((id) => smolLm2.isSpecial(id))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
  })

  it('encodes text and special tokens to the ids of the reference', () => {
    expect(smolLm2.encode('Hello world')).toEqual([19556, 905])
    expect(smolLm2.encode('<|im_start|>user\n', { special: true })).toEqual([1, 4093, 198])
    expect(smolLm2.encode('Hi', { addBos: true })[0]).toBe(1)
    expect(smolLm2.encode('')).toEqual([])
  })

  it('never makes special tokens of plain text', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(smolLm2.encode(text).filter((id) => smolLm2.isSpecial(id))).toEqual([])
      }),
    )
    expect(smolLm2.decode(smolLm2.encode('<|im_end|>'))).toBe('<|im_end|>')
  })

  it('reads segments as one text, special tokens only where they are meant', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ text: hostileText, special: fc.boolean() }), { maxLength: 5 }),
        (segments) => {
          const meant = segments
            .filter((segment) => segment.special)
            .flatMap(({ text }) => smolLm2.encode(text, { special: true }))
            .filter((id) => smolLm2.isSpecial(id))
          const ids = smolLm2.encodeSegments(segments)
          expect(ids.filter((id) => smolLm2.isSpecial(id))).toEqual(meant)
        },
      ),
    )
    const parts = ['Hel', 'lo wor', 'ld', '', '!'].map((text, index) => ({ text, special: index % 2 === 0 }))
    expect(smolLm2.encodeSegments(parts)).toEqual(smolLm2.encode('Hello world!'))
    const split = ['<|im_', 'end|>'].map((text) => ({ text, special: true }))
    expect(smolLm2.encodeSegments(split)).toEqual(smolLm2.encode('<|im_end|>'))
  })

  it('streams what it decodes, never half a character', () => {
    const ids = fc.array(fc.integer({ min: 0, max: smolLm2.vocabularySize - 1 }), { maxLength: 40 })
    const known = fc.constantFrom(...tokenizerTexts(400)).map((text) => smolLm2.encode(text))
    fc.assert(
      fc.property(fc.oneof(ids, known), fc.boolean(), (tokens, special) => {
        const stream = smolLm2.createDetokenizer({ special })
        const bytes = tokens
          .filter((id) => special || !smolLm2.isSpecial(id))
          .flatMap((id) => [...smolLm2.bytesOf(id)])
        const whole = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes))
        const pieces = tokens.map((id) => stream.push(id))
        expect(pieces.join('') + stream.flush()).toBe(whole)
        expect(smolLm2.decode(tokens, { special })).toBe(whole)
        for (const piece of pieces) expect(piece).not.toMatch(/\p{Cs}/u)
      }),
      { numRuns: 400 },
    )
  })

  it('holds an unfinished character back until it is whole or the end', () => {
    const stream = smolLm2.createDetokenizer()
    const ids = smolLm2.encode('👨‍👩‍👧 𠮷')
    const pieces = ids.map((id) => stream.push(id))
    expect(pieces.length).toBeGreaterThan(5)
    expect(pieces.filter((piece) => piece.includes('\ufffd'))).toEqual([])
    expect(pieces.join('')).toBe('👨‍👩‍👧 𠮷')
    expect(stream.flush()).toBe('')
    expect(stream.push(ids[0]!)).toBe('')
    expect(stream.flush()).toBe('\ufffd')
  })

  it('keeps a byte order mark', () => {
    expect(smolLm2.decode(smolLm2.encode('\ufeffa'))).toBe('\ufeffa')
  })

  it('takes a word of a million letters, and texts of many words', () => {
    for (const text of ['abc'.repeat(333_333), 'x=1;\n'.repeat(50_000)]) {
      expect(smolLm2.decode(smolLm2.encode(text))).toBe(text)
    }
  })

  it('gives the same ids again, from its cache of words', () => {
    for (const text of tokenizerTexts(200)) expect(smolLm2.encode(text)).toEqual(smolLm2.encode(text))
  })

  it('refuses ids that do not exist', () => {
    for (const id of [-1, 49_152, 0.5, Number.NaN]) {
      expect(() => smolLm2.bytesOf(id)).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
    }
  })
})

describe('byte-level BPE', () => {
  it('merges by rank, not by length', () => {
    const tokenizer = createTokenizer(bytePairFile({ merges: ['b c', 'a b', 'a bc'], pre: 'gpt-2' }))
    expect(tokenizer.encode('abc')).toEqual([258])
    expect(tokenizer.encode('abab')).toEqual([257, 257])
  })

  it('finds what merges give wherever the vocabulary lists it', () => {
    const file = bytePairFile({ merges: ['a b', 'c d', 'ab cd'] })
    const tokens = file.metadata.get('tokenizer.ggml.tokens') as string[]
    tokens.splice(256, 3, 'abcd', 'ab', 'cd')
    const tokenizer = createTokenizer(file)
    expect(['ab', 'cd', 'abcd'].map((text) => tokenizer.encode(text))).toEqual([[257], [258], [256]])
  })

  it('recognises user-defined tokens in any text, longest first', () => {
    const file = bytePairFile({ userDefined: ['<think>', '<think>\n', 'k>\n\n\n\n'] })
    const tokenizer = createTokenizer(file)
    const [think, thinkLine] = [258, 259]
    expect(tokenizer.encode('a<think>b<think>\n')).toEqual([97, think, 98, thinkLine])
    expect(tokenizer.encode('<think>\n\n')).toEqual([thinkLine, 10])
    expect(tokenizer.isSpecial(think)).toBe(false)
    expect(tokenizer.decode([97, think])).toBe('a<think>')
    expect(
      tokenizer.encodeSegments([
        { text: '<thi', special: false },
        { text: 'nk>', special: true },
      ]),
    ).toEqual([think])
  })

  it('makes no control token by merging nor of a whole word', () => {
    for (const pre of ['gpt-2', 'llama-bpe']) {
      const file = bytePairFile({ merges: ['a b'], pre })
      expect(createTokenizer(file).encode('ab')).toEqual([256])
      const types = file.metadata.get('tokenizer.ggml.token_type') as Int32Array
      types[256] = 3
      expect(createTokenizer(file).encode('ab')).toEqual([97, 98])
      expect(createTokenizer(file).encode('ab', { special: true })).toEqual([256])
    }
  })

  it('leaves merges aside for words that are entries, where the family does', () => {
    const merges = ['a b', 'c d', 'b c', 'abc d']
    const ids = (pre: string): number[] => createTokenizer(bytePairFile({ merges, pre })).encode('abcd')
    expect(ids('gpt-2')).toEqual([256, 257])
    expect(ids('llama-bpe')).toEqual([259])
  })
})

describe('SentencePiece', () => {
  const pieces = ['▁h', 'el', 'lo', '▁hel', '▁hello', '▁', 'h', 'e', 'l', 'o', 'x']
  const idOf = (piece: string): number => 259 + pieces.indexOf(piece)

  it('puts a space first, merges by score and falls back to bytes', () => {
    const tokenizer = createTokenizer(sentencePieceFile(pieces))
    expect(tokenizer.addsBos).toBe(true)
    expect(tokenizer.encode('hello')).toEqual([idOf('▁hello')])
    expect(tokenizer.encode('é x', { addBos: true })).toEqual([
      1,
      idOf('▁'),
      3 + 0xc3,
      3 + 0xa9,
      idOf('▁'),
      idOf('x'),
    ])
    expect(tokenizer.decode(tokenizer.encode('hello é\n x'))).toBe('hello é\n x')
    expect(tokenizer.decode(tokenizer.encode(' hello'), { stripSpacePrefix: false })).toBe('  hello')
  })

  it('puts it after special tokens too, and nowhere where the file says so', () => {
    const tokenizer = createTokenizer(sentencePieceFile(pieces))
    expect(tokenizer.encode('x</s>x', { special: true })).toEqual([
      idOf('▁'), idOf('x'), 2, idOf('▁'), idOf('x'),
    ]) // prettier-ignore
    const bare = createTokenizer(sentencePieceFile(pieces, { 'tokenizer.ggml.add_space_prefix': false }))
    expect(bare.encode('x</s>x', { special: true })).toEqual([idOf('x'), 2, idOf('x')])
    expect(bare.decode(bare.encode(' x'))).toBe(' x')
  })

  it('merges characters that are no entries into one that is, and no control tokens', () => {
    const tokenizer = createTokenizer(
      sentencePieceFile(['qz', '<s', '<', 's', '>', '▁'], { 'tokenizer.ggml.add_space_prefix': false }),
    )
    expect(tokenizer.encode('qz')).toEqual([259])
    expect(tokenizer.encode('zq')).toEqual([3 + 0x7a, 3 + 0x71])
    expect(tokenizer.encode('<s>')).toEqual([260, 263])
  })
})

describe('createTokenizer', () => {
  it.each([
    ['an unknown model', bytePairFile({ metadata: { 'tokenizer.ggml.model': 'bert' } }), 'unsupported'],
    ['an unknown pre-tokenizer', bytePairFile({ pre: 'none-such' }), 'unsupported'],
    ['no tokens', { metadata: new Map([['tokenizer.ggml.model', 'gpt2']]) }, 'invalid-model'],
    ['nothing', { metadata: new Map() }, 'invalid-model'],
    [
      'too few types',
      bytePairFile({ metadata: { 'tokenizer.ggml.token_type': new Int32Array(3) } }),
      'invalid-model',
    ],
    [
      'too few scores',
      sentencePieceFile(['a'], { 'tokenizer.ggml.scores': new Float32Array(9) }),
      'invalid-model',
    ],
    [
      'merges of numbers',
      bytePairFile({ metadata: { 'tokenizer.ggml.merges': new Int32Array(3) } }),
      'invalid-model',
    ],
  ] as const)('refuses %s', (_, file, code) => {
    expect(() => createTokenizer(file)).toThrow(expect.objectContaining({ code }))
  })

  it('ignores special ids beyond the vocabulary', () => {
    const tokenizer = createTokenizer(
      bytePairFile({
        metadata: { 'tokenizer.ggml.bos_token_id': 10_000, 'tokenizer.ggml.eot_token_id': 10_000 },
      }),
    )
    expect(tokenizer.bosId).toBe(null)
    expect([...tokenizer.endOfGeneration]).toEqual([257])
  })

  it('survives types, merges and entries that make no sense', () => {
    const file = bytePairFile({ merges: ['a b'] })
    file.metadata.set('tokenizer.ggml.merges', ['', ' ', 'ab', 'x y z', 'zz zz', 'a b', 'a b'])
    file.metadata.set('tokenizer.ggml.token_type', new Int32Array(400).fill(77))
    const tokenizer = createTokenizer(file)
    expect(tokenizer.encode('abc')).toEqual([256, 99])
    expect(tokenizer.decode([256, 99])).toBe('')
  })
})
