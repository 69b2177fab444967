import { contentText } from '../../contract/chat-messages'
import type { ChatCompletionChunk, Citation, Engine } from '../../contract/engine'
import { isEngineError } from '../../contract/error'
import { chunkOf, createStreamEngine, started } from '../stream-engine'
import { citable, CitingText } from './cite'
import { documentMessages, fittingPassages } from './document-prompt'
import type { FoundPassage, IndexedPassage, PassageIndex } from './passage-index'
import { tellingWordsOf } from './words-of'

export interface DocumentEngineOptions {
  /** Answered, without asking anyone, where the documents share no word with the question. */
  nothingFound: string
  /** Estimated tokens of the passages that are given to the model. Default 480. */
  passageTokens?: number
}

/** Passages that are looked at, at most; how many are given is a matter of their tokens. */
const MOST_PASSAGES = 8
/** Small models go on with a question of their own, or another passage. */
const STOPS = ['\nQuestion:', '\n-----']
/** Share of a question's weight that its best passage holds where the question speaks for itself. */
const SPEAKS_FOR_ITSELF = 0.5

/**
 * An engine that answers from documents: it finds passages for the last question, asks `inner` about them, and puts
 * citations behind the sentences that they bear out. Chunks list the passages as `minnow.citations`. Earlier turns help to
 * find passages and are not sent: small models mix them up with what is quoted. Repetitions are not punished, as answers
 * repeat what is quoted.
 */
export function createDocumentEngine(
  inner: Engine,
  index: PassageIndex,
  { nothingFound, passageTokens = 480 }: DocumentEngineOptions,
): Engine {
  return createStreamEngine(inner, async function* (params, options) {
    const questions = params.messages
      .filter(({ role }) => role === 'user')
      .map(({ content }) => contentText(content))
    const question = questions.at(-1) ?? ''
    let passages = fittingPassages(findFor(index, question, questions.at(-2)), passageTokens)
    if (passages.length === 0) {
      yield chunkOf(inner.info.model, nothingFound, { finish: 'stop' })
      return
    }
    const stream = await openStream()
    const quotes = passages.map((passage, i) => ({ ...citable(passage.text), label: i + 1 }))
    const citing = new CitingText({ passagesFor: () => quotes, labelOf: ({ label }) => label })
    const citations = passages.map((passage, i) => citationOf(passage, i + 1))
    yield* cited(stream, citing, () => citations)

    async function openStream(): Promise<AsyncIterable<ChatCompletionChunk>> {
      for (;;) {
        try {
          const messages = documentMessages(question, passages)
          return await started(
            await inner.chat.completions.create(
              { ...params, repetition_penalty: 1, stop: STOPS, messages, stream: true },
              options,
            ),
          )
        } catch (error) {
          // Their tokens were only estimated.
          if (!isEngineError(error, 'context-overflow') || passages.length === 1) throw error
          passages = passages.slice(0, -1)
        }
      }
    }
  })
}

/** A stream with the marks that `citing` puts into its text, and the citations whenever there may be others. */
export async function* cited(
  stream: AsyncIterable<ChatCompletionChunk>,
  citing: Pick<CitingText<never>, 'push' | 'end' | 'restart'>,
  citations: () => Citation[],
): AsyncGenerator<ChatCompletionChunk> {
  let isFirst = true
  let isOver = false
  let known = -1
  for await (const chunk of stream) {
    const [choice] = chunk.choices
    const event = chunk.minnow?.route?.type
    if (event === 'upgrading' || event === 'restoring') citing.restart()
    const came = choice?.delta.content ?? ''
    let content = came === '' ? '' : citing.push(came)
    if (!isOver && choice?.finish_reason) {
      isOver = true
      content += citing.end()
    }
    const list = citations()
    const isNew = isFirst || list.length !== known
    isFirst = false
    known = list.length
    yield {
      ...chunk,
      choices: choice === undefined ? [] : [{ ...choice, delta: { ...choice.delta, content } }],
      ...(isNew ? { minnow: { ...chunk.minnow, citations: list } } : {}),
    }
  }
}

export function citationOf(passage: IndexedPassage, label: number): Citation {
  const { documentId, document, headings, page, start, end, text } = passage
  return { label, documentId, document, headings: [...headings], page, start, end, text }
}

/** Where a question says little by itself ("How many are there?"), the one before counts too. */
function findFor(index: PassageIndex, question: string, before: string | undefined): FoundPassage[] {
  const found = index.find(question, MOST_PASSAGES)
  const isElsewhere = found.length === 0 && tellingWordsOf(question).length > 0
  const isClear = (found[0]?.coverage ?? 0) >= SPEAKS_FOR_ITSELF
  if (isClear || isElsewhere || before === undefined) return found
  return index.find(`${question} ${before}`, MOST_PASSAGES)
}
