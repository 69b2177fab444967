import type { TokenLogprob } from '../../contract/engine'
import type { AnswerPart, CallPart } from './answer-part'
import type { Secrets } from './secrets'

/**
 * An answer without the keys that were sent, which a server may echo in pieces: the end of a piece that may begin one is
 * held back until it is told. Calls of tools come whole, at the end.
 */
export async function* scrubAnswer(
  parts: AsyncIterable<AnswerPart>,
  secrets: Secrets,
): AsyncGenerator<AnswerPart, void> {
  let held = ''
  /** Of pieces that are not passed on as a whole. */
  let tokens: TokenLogprob[] = []
  const calls = new Map<number, CallPart>()
  for await (const part of parts) {
    for (const call of part.calls) {
      const begun = calls.get(call.index)
      calls.set(call.index, begun ? { ...begun, arguments: begun.arguments + call.arguments } : call)
    }
    const text = held + part.content
    const clean = secrets.scrubAnswer(text)
    // They would spell it.
    tokens = clean === text ? [...tokens, ...(part.logprobs ?? [])] : []
    const end = clean.length - (part.finishReason === null ? secrets.openEnd(clean) : 0)
    held = clean.slice(end)
    yield {
      ...part,
      id: part.id && secrets.scrubAnswer(part.id),
      model: part.model && secrets.scrubAnswer(part.model),
      content: clean.slice(0, end),
      calls: [],
      // A piece that is held back is a sign of life all the same.
      thinks: part.thinks || part.content !== '',
      logprobs: held === '' && tokens.length > 0 ? tokens.splice(0) : null,
    }
  }
  if (held === '' && calls.size === 0) return
  yield {
    id: undefined,
    model: undefined,
    content: held,
    calls: [...calls.values()].map(({ index, id, name, arguments: given }) => ({
      index,
      id: id && secrets.scrubAnswer(id),
      name: name && secrets.scrubAnswer(name),
      arguments: secrets.scrubAnswer(given),
    })),
    thinks: false,
    finishReason: null,
    logprobs: tokens.length > 0 ? tokens : null,
    counts: undefined,
  }
}
