import type { LabelledItem as Item } from '../router/calibration/labelled-item'
import type { TextPair } from '../workbench/score-choices'

/** Texts whose log-probabilities are compared: each continuation after its context. */
export interface ScoredChoices {
  readonly pairs: readonly TextPair[]
  /** What stands before a continuation when nothing is known: its log-probability there is the choice's own. */
  readonly neutral: string
  readonly gold: number
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
