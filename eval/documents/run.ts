import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Engine } from '../../src/contract/engine'
import { createLocalEngine } from '../../src/engine/local-engine'
import { cutPassages } from '../../src/widget/documents/cut-passages'
import { createDocumentEngine } from '../../src/widget/documents/document-engine'
import { PassageIndex } from '../../src/widget/documents/passage-index'
import { readMarkdown } from '../../src/widget/documents/read-markdown'
import { openBareModel } from '../../src/workbench/node-open-model'
import { HANDBOOK, QUESTIONS } from './handbook'

const ROOT = join(import.meta.dirname, '../..')
const USAGE = `Usage: npm run eval:documents -- [--data DIR] [--embeddings N] [--show]
Finds passages for questions, answers from them, and says how often that is right.

  --data DIR        folder with boolq.jsonl (eval/README.md): also find among its passages
  --embeddings N    compare with the model's hidden states over the first N of them (slow)
  --show            print the answers`

interface Pair {
  readonly passage: string
  readonly question: string
}

/** What makes a hidden state of a text; the second after https://arxiv.org/abs/2307.16645 (PromptEOL). */
const PROMPTS: readonly (readonly [string, (text: string) => string])[] = [
  ['hidden states', (text) => text],
  ['hidden states, "in one word"', (text) => `This text: "${text}" means in one word: "`],
]

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    embeddings: { type: 'string', default: '0' },
    show: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}
const model = await openBareModel(join(ROOT, 'models', 'smollm2-135m-instruct-q4_1'), 1)
const { backend, tokenizer, template: chatTemplate, id } = model
const engine = createLocalEngine({ id, backend, tokenizer, chatTemplate, contextLength: 4096 })

const document = readMarkdown(HANDBOOK)
const index = new PassageIndex()
const passages = [...index.add({ ...document, id: 'handbook', name: 'handbook.md' }, cutPassages(document))]
const answerable = QUESTIONS.filter(({ section }) => section !== null)
const handbookPlaces = answerable.map(({ question, section }) =>
  index.find(question, passages.length).findIndex(({ headings }) => headings.at(-1) === section),
)
console.log(
  `handbook, ${passages.length} passages, ${handbookPlaces.length} questions: ${figuresOf(handbookPlaces)}`,
)
await answerAll()
if (values.data !== undefined) {
  const pairs = readPairs(join(values.data, 'boolq.jsonl'))
  console.log(`boolq, ${pairs.length} passages: words ${figuresOf(findByWords(pairs))}`)
  const some = pairs.slice(0, Number(values.embeddings))
  if (some.length > 0) {
    console.log(`boolq, first ${some.length} passages: words ${figuresOf(findByWords(some))}`)
    for (const [name, ask] of PROMPTS) {
      console.log(
        `boolq, first ${some.length} passages: ${name} ${figuresOf(await findByStates(engine, some, ask))}`,
      )
    }
  }
}
await engine.dispose()

/** How often the model answers right from what was found, and how often what it says is cited rightly. */
async function answerAll(): Promise<void> {
  const asking = createDocumentEngine(engine, index, { nothingFound: 'NOTHING' })
  const counts = { right: 0, cited: 0, citedRight: 0, admitted: 0 }
  for (const { question, section, wanted } of QUESTIONS) {
    const { choices, minnow } = await asking.chat.completions.create({
      messages: [{ role: 'user', content: question }],
      max_tokens: 80,
      temperature: 0,
    })
    const answer = choices[0]!.message.content
    const labels = [...answer.matchAll(/\[(\d+)\]/g)].map(([, label]) => Number(label))
    const cited = minnow?.citations?.filter(({ label }) => labels.includes(label)) ?? []
    const isRight = wanted.split('|').some((word) => answer.toLowerCase().includes(word.toLowerCase()))
    if (section === null) {
      if (/NOTHING|do not say|not mention/i.test(answer)) counts.admitted++
    } else {
      if (isRight) counts.right++
      if (cited.length > 0) counts.cited++
      if (cited.some(({ headings }) => headings.at(-1) === section)) counts.citedRight++
    }
    if (values.show)
      console.log(`${isRight ? '+' : '-'} ${question}\n  → ${JSON.stringify(answer)} (${wanted})`)
  }
  const none = QUESTIONS.length - answerable.length
  console.log(
    `answers: right ${counts.right}/${answerable.length}, cited ${counts.cited}, by the right passage ${counts.citedRight}; ` +
      `admits that it is not there ${counts.admitted}/${none}`,
  )
}

/** BoolQ's lines "Passage: … Question: …", each passage once. */
function readPairs(path: string): Pair[] {
  if (!existsSync(path)) throw new Error(`There is no ${path}.`)
  const pairs = new Map<string, Pair>()
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line.trim() === '') continue
    const { query } = JSON.parse(line) as { query: string }
    const [, passage, question] =
      /^Passage: ([\s\S]*?)\nQuestion: ([\s\S]*?)(?:\nAnswer:?)?\s*$/.exec(query) ?? []
    if (passage !== undefined && question !== undefined) pairs.set(passage, { passage, question })
  }
  return [...pairs.values()]
}

/** Place of each question's passage among all that are found, from 0; −1: not found. */
function findByWords(pairs: readonly Pair[]): number[] {
  const words = new PassageIndex()
  for (const { passage: text } of pairs) {
    const whole = { index: 0, start: 0, end: text.length, headings: [], page: null }
    if ([...words.add({ id: text, name: '', text }, [whole])].length !== 1) throw new Error('not indexed')
  }
  return pairs.map(({ passage, question }) =>
    words.find(question, pairs.length).findIndex(({ documentId }) => documentId === passage),
  )
}

async function findByStates(
  over: Engine,
  pairs: readonly Pair[],
  ask: (text: string) => string,
): Promise<number[]> {
  const read = async (text: string): Promise<Float32Array> => {
    const { minnow } = await over.chat.completions.create({
      messages: [{ role: 'user', content: ask(text) }],
      max_tokens: 1,
      temperature: 0,
      minnow: { signals: true },
    })
    const hidden = minnow?.promptSignals?.hidden
    if (hidden === null || hidden === undefined) throw new Error('the backend gives no hidden states')
    return hidden
  }
  const texts: Float32Array[] = []
  const questions: Float32Array[] = []
  for (const { passage, question } of pairs) {
    texts.push(await read(passage))
    questions.push(await read(question))
  }
  centre(texts)
  centre(questions)
  return questions.map((question, i) => {
    const likeness = texts.map((text) => cosine(question, text))
    return likeness.filter((other) => other > likeness[i]!).length
  })
}

/** Without what all have in common, which otherwise outweighs the rest. */
function centre(vectors: readonly Float32Array[]): void {
  const width = vectors[0]!.length
  for (let at = 0; at < width; at++) {
    const mean = vectors.reduce((sum, vector) => sum + vector[at]!, 0) / vectors.length
    for (const vector of vectors) vector[at]! -= mean
  }
}

function cosine(a: Float32Array, b: Float32Array): number {
  let product = 0
  let lengthA = 0
  let lengthB = 0
  for (let at = 0; at < a.length; at++) {
    product += a[at]! * b[at]!
    lengthA += a[at]! ** 2
    lengthB += b[at]! ** 2
  }
  return product / Math.sqrt(lengthA * lengthB)
}

function figuresOf(places: readonly number[]): string {
  const within = (count: number): string =>
    (places.filter((place) => place >= 0 && place < count).length / places.length).toFixed(3)
  return `first ${within(1)}, among three ${within(3)}, among eight ${within(8)}`
}
