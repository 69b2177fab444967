import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { metadataNumbers, metadataStrings } from '../src/gguf/metadata'
import type { Gguf } from '../src/gguf/types'
import { createTokenizer } from '../src/tokenizer/tokenizer'
import { openSmolLm2Header } from '../tests/fixtures/smollm2-vocabulary'
import { tokenizerTexts } from '../tests/fixtures/tokenizer-texts'

/**
 * `tsx bench/tokenizers.ts`: our tokenizer and @huggingface/tokenizers, both made from the embedded model's metadata:
 * time to the first ids in a fresh process, speed, and on how many texts they differ. Times are of the processor, the
 * best of several, so that other work on the machine counts little. What came of it: docs/decisions/0001-tokenizer.md.
 */

type Encode = (text: string) => ArrayLike<number>

const subjects = {
  own: (gguf: Gguf): Encode => {
    const tokenizer = createTokenizer(gguf)
    return (text) => tokenizer.encode(text, { special: true })
  },
  huggingFace: (gguf: Gguf): Encode => {
    const tokenizer = new HuggingFaceTokenizer(tokenizerJson(gguf), {})
    return (text) => tokenizer.encode(text, { add_special_tokens: false }).ids
  },
}
type Subject = keyof typeof subjects
const names = Object.keys(subjects) as Subject[]

const startAgainFlag = '--start'
const starts = 7
const runs = 8

/** The file that model publishers put beside their weights, as far as this vocabulary needs it. */
function tokenizerJson(gguf: Gguf): object {
  const tokens = metadataStrings(gguf, 'tokenizer.ggml.tokens')
  const types = metadataNumbers(gguf, 'tokenizer.ggml.token_type')
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  return {
    version: '1.0',
    added_tokens: tokens
      .map((content, id) => ({ id, content, special: true, normalized: false }))
      .filter(({ id }) => types[id] === 3),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel],
    },
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: metadataStrings(gguf, 'tokenizer.ggml.merges'),
      byte_fallback: false,
      fuse_unk: false,
    },
  }
}

function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function timeMs(work: () => void): number {
  const start = processorMs()
  work()
  return processorMs() - start
}

/** In this process: from the parsed header to the ids of a first prompt. */
function firstIdsMs(subject: Subject, gguf: Gguf): number {
  return timeMs(() => subjects[subject](gguf)('<|im_start|>user\nHello, how are you?<|im_end|>\n'))
}

function bestStart(subject: Subject): number {
  const times = Array.from({ length: starts }, () => {
    const { stdout, status } = spawnSync(
      process.execPath,
      [...process.execArgv, import.meta.filename, startAgainFlag, subject],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    )
    if (status !== 0) throw new Error(`The process for ${subject} ended with status ${status ?? 'none'}`)
    return Number(stdout)
  })
  return Math.min(...times)
}

function megabytesPerSecond(encode: Encode, text: string): number {
  const times = Array.from({ length: runs }, () => timeMs(() => encode(text)))
  return Buffer.byteLength(text) / 1000 / Math.min(...times)
}

function compare(gguf: Gguf): void {
  const own = subjects.own(gguf)
  const huggingFace = subjects.huggingFace(gguf)
  const made = tokenizerTexts(5200)
  const differing = made.filter(
    (text) => Array.from(own(text)).join() !== Array.from(huggingFace(text)).join(),
  )
  const texts: Record<string, string> = {
    code: readFileSync(import.meta.filename, 'utf8').repeat(20),
    prose: readFileSync(join(import.meta.dirname, '..', 'docs', 'architecture.md'), 'utf8').repeat(10),
    'made texts': made.join('\n'),
    'one word of 100 kB': 'abc'.repeat(33_333),
  }
  const table = names.map((name) => {
    const encode = name === 'own' ? own : huggingFace
    const speeds = Object.entries(texts).map(([kind, text]) => [
      `${kind}, MB/s`,
      megabytesPerSecond(encode, text).toFixed(2),
    ])
    return {
      name,
      'first ids, ms': bestStart(name).toFixed(1),
      ...(Object.fromEntries(speeds) as Record<string, string>),
    }
  })
  console.table(table)
  console.log(`Different ids for ${differing.length} of ${made.length} texts, such as:`)
  for (const text of differing.slice(0, 3)) console.log(`  ${JSON.stringify(text)}`)
}

const gguf = await openSmolLm2Header()
const again = names.find((name) => process.argv[2] === startAgainFlag && process.argv[3] === name)
if (again === undefined) compare(gguf)
else console.log(firstIdsMs(again, gguf))
