import { holdsWords, startsWithWords } from '../src/router/calibration/judge-answer'
import type { LabelledItem as Item } from '../src/router/calibration/labelled-item'

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
    case 'plain':
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
    case 'plain':
      return null
  }
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
    case 'plain':
      return item.question
    case 'math':
    case 'question':
    case 'completion':
      return item.context
  }
}
