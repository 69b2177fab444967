import { chosen, firstNamed, holdsWords, lastNumber, plainSql } from './judge-answer'
import type { LabelledItem } from './labelled-item'

/** A question for a conversation, and what tells whether its answer is right. */
export interface AskedItem {
  readonly context: string
  readonly maxTokens: number
  readonly isRight: (answer: string) => boolean
}

/** How an item is asked in a conversation; null where no answer can be judged. */
export function conversed(item: LabelledItem): AskedItem | null {
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
    case 'plain':
      return {
        context: item.question,
        maxTokens: 48,
        isRight: (answer) =>
          [item.answer, ...(item.aliases ?? [])].some((alias) => holdsWords(answer, alias)),
      }
    case 'routingChoice':
    case 'turns':
      return null
  }
}

function askChoice(question: string, choices: readonly string[], gold: number): AskedItem {
  return {
    context: `${question}\n${choices.map((choice) => `- ${choice}`).join('\n')}\nAnswer with one of the choices.`,
    maxTokens: 32,
    isRight: (answer) => chosen(answer, choices) === gold,
  }
}

function askNumber(question: string, answer: string): AskedItem {
  return {
    context: question,
    maxTokens: 160,
    isRight: (given) => lastNumber(given) === Number(answer.replaceAll(',', '')),
  }
}
