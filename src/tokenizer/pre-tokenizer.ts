import { EngineError } from '../contract/error'
import { characterClass, classOf } from './character-class'

/**
 * Splits text into the words that byte-pair merges never cross, as llama.cpp does for `tokenizer.ggml.pre`.
 * Scanners, not regular expressions: linear in time and flat in stack for any text, and several times as fast.
 */
export interface PreTokenizer {
  /** Calls `emit` for each word in order; the words cover the text. */
  split(text: string, emit: (word: string) => void): void
  /** Words that are vocabulary entries become that entry, whatever the merges say. */
  readonly ignoreMerges: boolean
  /** Whether a beginning-of-sequence token is added where the model's file does not say. */
  readonly addBos: boolean
}

/** How a family of patterns differs from the next. */
interface Rules {
  /**
   * 'gpt2': `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
   * 'llama3': `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,n}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`.
   */
  family: 'gpt2' | 'llama3'
  /** Most digits of a word; with 'gpt2' 1 splits digits off first, so that no space joins them. */
  maxDigits: number
  /** Combining marks count as letters (Qwen 3.5). */
  marksAreLetters?: boolean
  ignoreMerges?: boolean
  addBos?: boolean
}

const gpt2: Rules = { family: 'gpt2', maxDigits: Infinity }
const smollm: Rules = { family: 'gpt2', maxDigits: 1 }
const llama3: Rules = { family: 'llama3', maxDigits: 3, ignoreMerges: true, addBos: true }
const qwen2: Rules = { family: 'llama3', maxDigits: 1 }

/** Names of `tokenizer.ggml.pre`, grouped as in llama.cpp. 'default' is its fallback for files that name none. */
const rulesByName: Readonly<Record<string, Rules | 'default'>> = {
  'gpt-2': gpt2,
  'phi-2': gpt2,
  mpt: gpt2,
  olmo: gpt2,
  exaone4: gpt2,
  'modern-bert': gpt2,
  smollm,
  starcoder: smollm,
  refact: smollm,
  'command-r': smollm,
  codeshell: smollm,
  exaone: smollm,
  'minerva-7b': smollm,
  llama3,
  'llama-v3': llama3,
  'llama-bpe': llama3,
  falcon3: llama3,
  'falcon-h1': llama3,
  lfm2: llama3,
  dbrx: { family: 'llama3', maxDigits: 3 },
  'smaug-bpe': { family: 'llama3', maxDigits: 3 },
  qwen2,
  'deepseek-r1-qwen': qwen2,
  stablelm2: qwen2,
  hunyuan: qwen2,
  megrez: qwen2,
  qwen35: { ...qwen2, marksAreLetters: true },
  default: 'default',
}

/** @throws EngineError 'unsupported' for a name not known here. */
export function createPreTokenizer(name: string): PreTokenizer {
  const rules = Object.hasOwn(rulesByName, name) ? rulesByName[name] : undefined
  if (rules === undefined) {
    throw new EngineError(
      'unsupported',
      `The pre-tokenizer "${name}" is not supported. Supported are: ${Object.keys(rulesByName).join(', ')}.`,
      { details: { preTokenizer: name } },
    )
  }
  if (rules === 'default') return { split: splitDefault, ignoreMerges: false, addBos: false }
  return {
    split: (text, emit) => splitByRules(text, rules, emit),
    ignoreMerges: rules.ignoreMerges ?? false,
    addBos: rules.addBos ?? false,
  }
}

const { letter, number, space, mark, punctuation } = characterClass
/** Class beyond the end of the text. */
const end = -1

function splitByRules(text: string, rules: Rules, emit: (word: string) => void): void {
  const wordEnd = rules.family === 'gpt2' ? gpt2WordEnd : llama3WordEnd
  for (let start = 0; start < text.length;) {
    const stop = wordEnd(text, start, rules)
    emit(text.slice(start, stop))
    start = stop
  }
}

function classAt(text: string, index: number): number {
  if (index >= text.length) return end
  return classOf(text.codePointAt(index)!)
}

/** UTF-16 units of the character at `index`. */
function unitsAt(text: string, index: number): number {
  return text.codePointAt(index)! > 0xffff ? 2 : 1
}

/** End of the run of characters of class `wanted` from `index` on. */
function runEnd(text: string, index: number, wanted: number): number {
  while (classAt(text, index) === wanted) index += unitsAt(text, index)
  return index
}

/** End of the run of characters that are no letter, number or space. */
function symbolsEnd(text: string, index: number, marksAreLetters: boolean): number {
  for (;;) {
    const kind = classAt(text, index)
    if (kind === end || kind === letter || kind === number || kind === space) return index
    if (marksAreLetters && kind === mark) return index
    index += unitsAt(text, index)
  }
}

/** End of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll`, `'d` at `index`, where there is an apostrophe; `index` if none. */
function contractionEnd(text: string, index: number, ignoreCase: boolean): number {
  const tail = text.slice(index + 1, index + 3)
  const lower = ignoreCase ? tail.toLowerCase() : tail
  if (lower !== '' && 'stmd'.includes(lower.charAt(0))) return index + 2
  return lower === 're' || lower === 've' || lower === 'll' ? index + 3 : index
}

function gpt2WordEnd(text: string, start: number, { maxDigits }: Rules): number {
  const first = text.charCodeAt(start)
  if (first === 0x27) {
    const stop = contractionEnd(text, start, false)
    if (stop > start) return stop
  }
  const splitDigits = maxDigits === 1
  const kind = classAt(text, start)
  if (splitDigits && kind === number) return start + unitsAt(text, start)
  const bodyStart = first === 0x20 ? start + 1 : start
  const body = classAt(text, bodyStart)
  if (body === letter) return runEnd(text, bodyStart, letter)
  if (body === number && !splitDigits) return runEnd(text, bodyStart, number)
  if (body !== end && body !== space && body !== number) return symbolsEnd(text, bodyStart, false)
  const stop = runEnd(text, start, space)
  const next = classAt(text, stop)
  // \s+(?!\S): the last space goes with the word after it. Split-off digits end the text before them.
  return next === end || (splitDigits && next === number) ? stop : Math.max(stop - 1, start + 1)
}

function llama3WordEnd(text: string, start: number, { maxDigits, marksAreLetters = false }: Rules): number {
  const first = text.charCodeAt(start)
  if (first === 0x27) {
    const stop = contractionEnd(text, start, true)
    if (stop > start) return stop
  }
  const isLetter = (kind: number): boolean => kind === letter || (marksAreLetters && kind === mark)
  const kind = classAt(text, start)
  if (kind === number) {
    let stop = start
    for (let digits = 0; digits < maxDigits && classAt(text, stop) === number; digits++)
      stop += unitsAt(text, stop)
    return stop
  }
  const second = start + unitsAt(text, start)
  const isLineBreak = first === 0x0a || first === 0x0d
  if (!isLineBreak && (isLetter(kind) || isLetter(classAt(text, second)))) {
    let stop = second
    while (isLetter(classAt(text, stop))) stop += unitsAt(text, stop)
    return stop
  }
  const symbolsStart = first === 0x20 ? second : start
  let stop = symbolsEnd(text, symbolsStart, marksAreLetters)
  if (stop > symbolsStart) {
    while (text.charCodeAt(stop) === 0x0a || text.charCodeAt(stop) === 0x0d) stop++
    return stop
  }
  // Whitespace is all in the basic plane: one unit each.
  stop = runEnd(text, start, space)
  for (let index = stop - 1; index >= start; index--) {
    if (text.charCodeAt(index) === 0x0a || text.charCodeAt(index) === 0x0d) return index + 1
  }
  return classAt(text, stop) === end ? stop : Math.max(stop - 1, start + 1)
}

/**
 * llama.cpp's fallback: runs of punctuation first, GPT-2's words between them, numbers apart from their space and in
 * groups of three ASCII digits.
 */
function splitDefault(text: string, emit: (word: string) => void): void {
  const isPunctuation = (index: number): boolean =>
    classAt(text, index) === punctuation || '$+<=>^~|'.includes(text.charAt(index))
  for (let start = 0; start < text.length;) {
    let stop = start
    const inPunctuation = isPunctuation(start)
    while (stop < text.length && isPunctuation(stop) === inPunctuation) stop += unitsAt(text, stop)
    splitByRules(text.slice(start, stop), gpt2, (word) => splitNumbers(word, emit))
    start = stop
  }
}

/** `word` is one of GPT-2's: a number is all of it but a leading space. */
function splitNumbers(word: string, emit: (word: string) => void): void {
  const numberStart = word.startsWith(' ') ? 1 : 0
  if (classAt(word, numberStart) !== number) return emit(word)
  if (numberStart > 0) emit(' ')
  const groups = /[0-9]{3}/g
  let start = numberStart
  for (let match = groups.exec(word); match !== null; match = groups.exec(word)) {
    if (match.index > start) emit(word.slice(start, match.index))
    emit(match[0])
    start = match.index + 3
  }
  if (start < word.length) emit(word.slice(start))
}
