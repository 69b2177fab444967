import type { TextMessage } from '../../contract/chat-messages'
import { estimateTokens } from './estimate-tokens'
import type { FoundPassage } from './passage-index'

const INSTRUCTION = 'You answer questions from quoted texts in one short sentence.'

/** They show the form, and raise right answers about as much as any words would: see docs/documents.md. */
const EXAMPLES = [
  ['The pool opens at nine. Towels cost two euros.', 'How much is a towel?', 'A towel costs two euros.'],
  [
    'The bus to Lind leaves at 8 from the church.',
    'Where does the bus to Lind leave?',
    'The bus to Lind leaves from the church.',
  ],
] as const

/** Passages that are given, at most. */
const MOST_GIVEN = 3
/** A passage that scored less than the best one by this factor is left out: it would only mislead a small model. */
const WORTH_READING = 1.5

/** The passages to be given, best first, at least one: those that are about as good as the best, and fit. */
export function fittingPassages(found: readonly FoundPassage[], tokens: number): FoundPassage[] {
  let left = tokens
  return found.slice(0, MOST_GIVEN).filter(({ text, score }, index) => {
    left -= estimateTokens(text)
    return index === 0 || (left >= 0 && score * WORTH_READING >= found[0]!.score)
  })
}

/** The messages that ask about passages. The best one stands last, beside the question. */
export function documentMessages(question: string, passages: readonly FoundPassage[]): TextMessage[] {
  return [
    { role: 'system', content: INSTRUCTION },
    ...EXAMPLES.flatMap(([text, asked, answer]): TextMessage[] => [
      { role: 'user', content: messageOf([text], asked) },
      { role: 'assistant', content: answer },
    ]),
    { role: 'user', content: messageOf(passages.map(({ text }) => text).reverse(), question) },
  ]
}

function messageOf(texts: readonly string[], question: string): string {
  return `-----\n${texts.map(quoted).join('\n-----\n')}\n-----\n\nQuestion: ${question}`
}

/** Lines of dashes mark what is quoted, so none may stand in it. */
export function quoted(text: string): string {
  return text.replace(/^[ \t]*-{5,}[ \t]*$/gm, '')
}
