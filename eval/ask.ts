import type { Item } from './items'

/** Texts whose log-probabilities are compared: each continuation after its context. */
export interface ScoredChoices {
  readonly pairs: readonly { readonly context: string; readonly continuation: string }[]
  /** What stands before a continuation when nothing is known: its log-probability there is the choice's own. */
  readonly neutral: string
  readonly gold: number
}

/** A text to go on with, greedily. */
export interface Continued {
  readonly context: string
  readonly maxTokens: number
  /** The answer ends before the first of these. */
  readonly stop: RegExp
  readonly isRight: (answer: string) => boolean
}

const POLARITY_EXAMPLES = [
  ['a warm , funny and wonderfully acted story that stays with you', 1],
  ['two hours of noise without one idea', 0],
  ['the jokes fall flat and the ending makes no sense', 0],
  ['beautifully shot and told with real feeling', 1],
  ['a lazy sequel nobody asked for', 0],
  ['smart , tense and surprisingly moving', 1],
] as const
const SENTIMENTS = [' negative', ' positive'] as const

function polarityPrompt(text: string): string {
  const examples = POLARITY_EXAMPLES.map(
    ([review, label]) => `Review: ${review}\nSentiment:${SENTIMENTS[label]}\n\n`,
  )
  return `${examples.join('')}Review: ${text}\nSentiment:`
}

/** How an item is asked by comparing texts; null where it has no choices. */
export function scoredChoices(item: Item): ScoredChoices | null {
  switch (item.form) {
    case 'choice':
      return {
        pairs: item.choices.map((choice) => ({
          context: `${item.query}\nAnswer:`,
          continuation: ` ${choice}`,
        })),
        neutral: 'Answer:',
        gold: item.gold,
      }
    case 'routingChoice':
      return {
        pairs: item.choices.map((choice) => ({
          context: `Question: ${item.question}\nAnswer:`,
          continuation: ` ${choice}`,
        })),
        neutral: 'Answer:',
        gold: item.gold,
      }
    case 'contexts':
      return {
        pairs: item.context_options.map((context) => ({ context, continuation: ` ${item.continuation}` })),
        neutral: '',
        gold: item.gold,
      }
    case 'label':
      return {
        pairs: SENTIMENTS.map((continuation) => ({ context: polarityPrompt(item.text), continuation })),
        neutral: polarityPrompt(''),
        gold: item.label,
      }
    case 'completion':
    case 'question':
    case 'math':
    case 'routingMath':
    case 'sql':
    case 'turns':
      return null
  }
}

/** How an item is asked by going on with its text; null where its form is no text to go on with. */
export function continued(item: Item): Continued | null {
  switch (item.form) {
    case 'completion':
      return {
        context: item.context,
        maxTokens: 16,
        stop: /[\n.,;:!?"]/,
        isRight: (answer) => startsWithWords(answer, item.continuation),
      }
    case 'question':
      return {
        context: item.context,
        maxTokens: 24,
        stop: /\n/,
        isRight: (answer) => [item.answer, ...item.aliases].some((alias) => holdsWords(answer, alias)),
      }
    case 'choice':
    case 'contexts':
    case 'label':
    case 'math':
    case 'routingChoice':
    case 'routingMath':
    case 'sql':
    case 'turns':
      return null
  }
}

/** How an item is asked in a conversation; null where no answer can be judged. */
export function conversed(item: Item): Omit<Continued, 'stop'> | null {
  switch (item.form) {
    case 'choice':
      return askChoice(item.query.replace(/^Question:\s*/, ''), item.choices, item.gold)
    case 'label':
      return {
        context: `Is this review positive or negative? Answer with one word.\n\nReview: ${item.text}`,
        maxTokens: 16,
        isRight: (answer) => firstNamed(answer, ['negative', 'positive']) === item.label,
      }
    case 'contexts': {
      const options = item.context_options.map((context) => `${context} ${item.continuation}`)
      return askChoice('Which of these sentences makes more sense?', options, item.gold)
    }
    case 'question':
      return {
        context: item.context.replace(/^Question:\s*/, '').replace(/\s*Answer:\s*$/, ''),
        maxTokens: 48,
        isRight: (answer) => [item.answer, ...item.aliases].some((alias) => holdsWords(answer, alias)),
      }
    case 'completion':
      return {
        context: `Complete the text with the next word or name only.\n\n${item.context}`,
        maxTokens: 24,
        isRight: (answer) => holdsWords(answer, item.continuation),
      }
    case 'math':
      return askNumber(item.context, item.answer)
    case 'routingMath':
      return askNumber(item.question, item.answer)
    case 'sql':
      return {
        context: `Write one SQL query, and nothing else, that answers: ${item.question}`,
        maxTokens: 64,
        isRight: (answer) => plainSql(answer) === plainSql(item.query),
      }
    case 'routingChoice':
    case 'turns':
      return null
  }
}

function askChoice(question: string, choices: readonly string[], gold: number): Omit<Continued, 'stop'> {
  return {
    context: `${question}\n${choices.map((choice) => `- ${choice}`).join('\n')}\nAnswer with one of the choices.`,
    maxTokens: 32,
    isRight: (answer) => chosen(answer, choices) === gold,
  }
}

function askNumber(question: string, answer: string): Omit<Continued, 'stop'> {
  return {
    context: question,
    maxTokens: 160,
    isRight: (given) => lastNumber(given) === Number(answer.replaceAll(',', '')),
  }
}

/** Without fences, blanks and case: exact match, which is stricter than running both. */
function plainSql(text: string): string {
  const fenced = /```(?:sql)?\s*([\s\S]*?)```/i.exec(text)
  return (fenced?.[1] ?? text)
    .toLowerCase()
    .replaceAll(/[\s;]+/g, ' ')
    .trim()
}

/** What an item asks, as a user would put it; for features of the prompt. */
export function promptText(item: Item): string {
  switch (item.form) {
    case 'routingChoice':
      return `${item.question}\n${item.choices.join('\n')}`
    case 'choice':
      return item.query
    case 'contexts':
      return item.context_options[0]!
    case 'label':
      return item.text
    case 'turns':
      return item.turns[0]!
    case 'routingMath':
    case 'sql':
      return item.question
    case 'math':
    case 'question':
    case 'completion':
      return item.context
  }
}

/** Lower case, without articles and punctuation, as TriviaQA's own judge compares. */
export function plainWords(text: string): string[] {
  const letters = text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s]/gu, ' ')
  return letters.split(/\s+/).filter((word) => word !== '' && !['a', 'an', 'the'].includes(word))
}

export function startsWithWords(answer: string, wanted: string): boolean {
  const words = plainWords(answer)
  const goal = plainWords(wanted)
  return goal.length > 0 && goal.every((word, i) => words[i] === word)
}

export function holdsWords(answer: string, wanted: string): boolean {
  const goal = plainWords(wanted).join(' ')
  return goal !== '' && ` ${plainWords(answer).join(' ')} `.includes(` ${goal} `)
}

/** Index of the name that comes first in the answer; −1 where none does. */
function firstNamed(answer: string, names: readonly string[]): number {
  const words = plainWords(answer)
  return words.reduce((found, word) => (found >= 0 ? found : names.indexOf(word)), -1)
}

/** The choice whose words share most with the answer's (F1 of word counts); −1 where none shares any or two tie. */
export function chosen(answer: string, choices: readonly string[]): number {
  const words = plainWords(answer)
  const scores = choices.map((choice) => {
    const goal = plainWords(choice)
    const left = [...words]
    const shared = goal.filter((word) => {
      const at = left.indexOf(word)
      if (at >= 0) left.splice(at, 1)
      return at >= 0
    }).length
    return shared === 0 ? 0 : (2 * shared) / (words.length + goal.length)
  })
  const best = Math.max(...scores)
  return best === 0 || scores.filter((score) => score === best).length > 1 ? -1 : scores.indexOf(best)
}

export function lastNumber(text: string): number | null {
  const numbers = text.match(/-?\d[\d,]*(?:\.\d+)?/g)
  return numbers === null ? null : Number(numbers.at(-1)!.replaceAll(',', ''))
}
