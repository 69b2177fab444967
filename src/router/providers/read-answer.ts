import { readAnswerPart, type AnswerPart } from './answer-part'
import type { Failures } from './failure'
import { readEvents, readText, type ReadLimits } from './read-events'
import { errorOfResponse, plainText } from './response-error'

/** Enough for every provider's error object; pages of HTML are cut here. */
const ERROR_BODY_BYTES = 65_536

/**
 * The parts of an answer, checked, whether it is streamed or whole. Ends only where the provider says that the answer
 * ends.
 * @throws EngineError of what the response says is wrong, 'network' where it ends too early, 'invalid-response'
 * where it is no answer, or the signal's reason
 */
export async function* readAnswer(
  response: Response,
  limits: ReadLimits,
  failures: Failures,
  signal: AbortSignal,
): AsyncGenerator<AnswerPart, void> {
  await checkStatus(response, failures, signal)
  const type = mediaType(response)
  if (type === 'application/json') {
    yield readAnswerPart(await readText(response.body, limits.answerBytes, failures, signal), failures)
    return
  }
  if (type !== 'text/event-stream') {
    const text = await readText(response.body, ERROR_BODY_BYTES, failures, signal, { cut: true })
    throw failures.make(
      'invalid-response',
      `answered with ${type === '' ? 'an unnamed type' : failures.quote(type)} instead of an answer: ` +
        `${failures.quote(plainText(text))}. Check the address.`,
      { status: response.status },
    )
  }
  if (response.body === null) throw failures.make('network', 'answered with nothing. Try again.')
  let begun = false
  let finished = false
  for await (const data of readEvents(response.body, limits, failures, signal)) {
    if (data.trim() === '[DONE]') {
      // Some servers give no reason why they finished.
      finished = begun
      break
    }
    const part = readAnswerPart(data, failures)
    begun = true
    finished ||= part.finishReason !== null
    yield part
  }
  if (!finished) throw failures.make('network', 'ended its answer in the middle. Try again.')
}

/** @throws the error that a response of another status than 2xx means */
export async function checkStatus(
  response: Response,
  failures: Failures,
  signal: AbortSignal,
): Promise<void> {
  // Prompts go to the address that was given and to no other. Browsers hide a redirect's status and target.
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    await response.body?.cancel()
    throw failures.make('invalid-response', 'redirects to another address. Give that one as baseUrl.')
  }
  if (response.ok) return
  const body = await readText(response.body, ERROR_BODY_BYTES, failures, signal, { cut: true })
  throw errorOfResponse(response, body, failures)
}

export function mediaType(response: Response): string {
  return (response.headers.get('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()
}
