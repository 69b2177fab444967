import { holdsWords, startsWithWords } from '../src/router/calibration/judge-answer'
import type { LabelledItem as Item } from '../src/router/calibration/labelled-item'

/** A text to go on with, greedily. */
export interface Continued {
  readonly context: string
  readonly maxTokens: number
  /** The answer ends before the first of these. */
  readonly stop: RegExp
  readonly isRight: (answer: string) => boolean
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
