import { createParser } from 'eventsource-parser'
import type { EngineError } from '../../contract/error'
import type { Failures } from './failure'
import { parseJson } from './json'

const NO_UTF8 = 'sent bytes that are no UTF-8. Check the address.'

export interface ReadLimits {
  /** Most characters of one event. */
  readonly eventCharacters: number
  /** Most bytes of a whole answer. */
  readonly answerBytes: number
}

/**
 * The `data` of each server-sent event of a body. What an incomplete last event holds is dropped, as the
 * specification says. Leaving the loop cancels the body.
 * @throws EngineError 'invalid-response' where the body is no such stream or exceeds a limit, 'network' where it
 * breaks, or the signal's reason
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  limits: ReadLimits,
  failures: Failures,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  const events: string[] = []
  let problem: EngineError | null = null
  let foreignLines = 0
  const parser = createParser({
    maxBufferSize: limits.eventCharacters,
    onEvent: ({ data }) => events.push(data),
    onError: ({ type, field, value }) => {
      if (type === 'max-buffer-size-exceeded') {
        problem = failures.make(
          'invalid-response',
          `sent an event of more than ${limits.eventCharacters} characters. Use another server, or raise the limit.`,
        )
      }
      // Some versions of llama.cpp say "error: {…}" where others say "data: {"error": {…}}".
      else if (field === 'error') events.push(JSON.stringify({ error: parseJson(value ?? '') ?? value }))
      else foreignLines++
    },
  })
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let eventCount = 0
  for await (const bytes of readBytes(body, limits.answerBytes, failures, signal)) {
    // Line by line, so that what came before damaged bytes counts however the network grouped it.
    for (const line of lines(bytes)) {
      if (problem !== null) break
      try {
        parser.feed(decoder.decode(line, { stream: true }))
      } catch {
        problem = failures.make('invalid-response', NO_UTF8)
      }
    }
    for (const event of events.splice(0)) {
      eventCount++
      yield event
    }
    if (problem !== null) throw problem
  }
  if (eventCount === 0 && foreignLines > 0) {
    throw failures.make('invalid-response', 'sent a stream without a single event. Check the address.')
  }
}

/** A whole body as text, at most `mostBytes`; `cut` keeps the beginning of a longer one instead of failing. */
export async function readText(
  body: ReadableStream<Uint8Array> | null,
  mostBytes: number,
  failures: Failures,
  signal: AbortSignal,
  { cut = false }: { cut?: boolean } = {},
): Promise<string> {
  if (body === null) return ''
  const decoder = new TextDecoder('utf-8', { fatal: !cut })
  let text = ''
  let length = 0
  for await (const bytes of readBytes(body, cut ? Infinity : mostBytes, failures, signal)) {
    try {
      text += decoder.decode(bytes, { stream: true })
    } catch {
      throw failures.make('invalid-response', NO_UTF8)
    }
    length += bytes.length
    if (cut && length >= mostBytes) break
  }
  return text
}

async function* readBytes(
  body: ReadableStream<Uint8Array>,
  mostBytes: number,
  failures: Failures,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader()
  let length = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      length += value.length
      if (length > mostBytes) {
        throw failures.make('invalid-response', `sent more than ${mostBytes} bytes. Ask for fewer tokens.`)
      }
      yield value
    }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Error && error.name === 'EngineError') throw error
    throw failures.make('network', `broke the connection: ${failures.reason(error)}. Try again.`)
  } finally {
    // Rejects where the connection is broken already.
    await reader.cancel().catch(() => undefined)
  }
}

/** Cut after each line feed. */
function* lines(bytes: Uint8Array): Generator<Uint8Array, void> {
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0x0a, start) + 1 || bytes.length
    yield bytes.subarray(start, end)
    start = end
  }
}
