import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answerer, ChatRequest } from './answers'
import type { BreakFault, CutPlace, Fault, Variation } from './faults'

const GARBAGE = {
  bytes: Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0xfe, 0x00, 0x80, 0x0a, 0x0a]),
  json: 'data: {"choices": [{"delta": \n\n',
  lines: 'oops\nthis is no stream\n\n',
  'other-json': 'data: {"weather": "fine"}\n\ndata: 17\n\n',
}

/** One response. */
export class Reply {
  readonly #response: ServerResponse
  readonly #signal: AbortSignal
  readonly #request: ChatRequest
  readonly #model: string
  readonly #answer: Answerer

  constructor(
    response: ServerResponse,
    signal: AbortSignal,
    request: ChatRequest,
    model: string,
    answer: Answerer,
  ) {
    this.#response = response
    this.#signal = signal
    this.#request = request
    this.#model = model
    this.#answer = answer
  }

  async send(fault: Fault | null): Promise<void> {
    const response = this.#response
    if (fault?.kind === 'refuse') response.destroy()
    else if (fault?.kind === 'hang-before-head') await this.#hang()
    else if (fault?.kind === 'redirect') response.writeHead(307, { location: fault.to }).end()
    else if (fault?.kind === 'other-type') {
      response.writeHead(200, { 'content-type': fault.type }).end(fault.body)
    } else if (fault?.kind === 'status') {
      const { status, body = { error: { message: `Status ${status} to order.` } }, headers } = fault
      for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value)
      if (typeof body === 'string') response.writeHead(status, { 'content-type': 'text/html' }).end(body)
      else sendJson(response, status, body)
    } else if (!this.#request.stream || fault?.kind === 'not-streamed') await this.#sendWhole()
    else if (fault !== null && 'after' in fault) await this.#sendStream(fault, null)
    else await this.#sendStream(null, fault)
  }

  async #sendWhole(): Promise<void> {
    const answer = await this.#answer(this.#request, this.#signal)
    let content = ''
    let count = 0
    for await (const piece of answer.pieces) {
      content += piece
      count++
    }
    sendJson(this.#response, 200, {
      ...this.#head('chat.completion'),
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content },
          finish_reason: answer.finishReason(),
          logprobs: null,
        },
      ],
      usage: usage(answer.promptTokens, count),
    })
  }

  async #sendStream(fault: BreakFault | null, variation: Variation | null): Promise<void> {
    const response = this.#response
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    })
    response.flushHeaders()
    const answer = await this.#answer(this.#request, this.#signal)
    await this.#event({ delta: { role: 'assistant', content: '' } })
    if (variation?.kind === 'thoughts') {
      for (let i = 0; i < variation.count; i++) {
        await sleep(variation.everyMs)
        await this.#event({ delta: { reasoning_content: `Thought ${i}. ` } })
      }
    }
    let count = 0
    if (variation?.kind === 'calls') await this.#call(variation.calls)
    else
      for await (const piece of answer.pieces) {
        if (count === fault?.after) break
        if (variation?.kind === 'slow') await sleep(variation.everyMs)
        await this.#event({ delta: { content: piece } })
        count++
      }
    if (fault === null) {
      const reason = variation?.kind === 'calls' ? 'tool_calls' : answer.finishReason()
      await this.#event({ delta: {}, finish_reason: reason })
      if (this.#request.includeUsage && variation?.kind !== 'no-usage') {
        await this.#write(
          this.#line({ ...this.#head(), choices: [], usage: usage(answer.promptTokens, count) }),
        )
      }
      await this.#write('data: [DONE]\n\n')
    } else await this.#break(fault)
    response.end()
  }

  async #call(calls: readonly { name: string; arguments: string }[]): Promise<void> {
    for (const [index, { name, arguments: given }] of calls.entries()) {
      const begin = { index, id: `call-${index}`, type: 'function', function: { name, arguments: '' } }
      await this.#event({ delta: { tool_calls: [begin] } })
      for (const piece of given.match(/.{1,7}/gs) ?? []) {
        await this.#event({ delta: { tool_calls: [{ index, function: { arguments: piece } }] } })
      }
    }
  }

  /** Returns where the response is to be ended in good order. */
  async #break(fault: BreakFault): Promise<void> {
    switch (fault.kind) {
      case 'hang':
        await this.#hang()
        break
      case 'hang-with-comments':
        while (!this.#signal.aborted) {
          await this.#write(': KEEP WAITING\n\n')
          await this.#event({ delta: { content: '' } })
          await sleep(10)
        }
        break
      case 'cut':
        await this.#write(this.#beginning(fault.where))
        // What was written gets out first.
        await sleep(20)
        this.#response.destroy()
        break
      case 'early-end':
        await this.#write(this.#beginning(fault.where))
        break
      case 'garbage':
        await this.#write(GARBAGE[fault.what])
        break
      case 'slow-loris':
        for (const byte of Buffer.from(this.#line({ ...this.#head(), padding: 'x'.repeat(10_000) }))) {
          if (this.#signal.aborted) break
          await this.#write(Buffer.from([byte]))
          await sleep(10)
        }
        break
      case 'endless':
        while (!this.#signal.aborted) {
          await this.#event({ delta: { content: 'again and again '.repeat(64) } })
          await sleep(1)
        }
        break
      case 'long-line': {
        const piece = 'x'.repeat(65_536)
        await this.#write('data: {"choices":[{"index":0,"delta":{"content":"')
        for (let sent = 0; sent < fault.bytes && !this.#signal.aborted; sent += piece.length) {
          await this.#write(piece)
        }
        break
      }
      case 'error-event':
        await this.#write(`${fault.line}\n\n`)
        break
      case 'finish':
        await this.#event({ delta: {}, finish_reason: fault.reason })
        await this.#write('data: [DONE]\n\n')
        break
    }
  }

  /** An event, or the beginning of one. */
  #beginning(where: CutPlace): Uint8Array {
    const event = Buffer.from(this.#chunkLine({ delta: { content: 'half a 🐟 is none' } }))
    if (where === 'between-events') return new Uint8Array(0)
    return event.subarray(0, event.indexOf('🐟') + (where === 'in-event' ? -2 : 2))
  }

  #event(choice: Record<string, unknown>): Promise<void> {
    return this.#write(this.#chunkLine(choice))
  }

  #chunkLine(choice: Record<string, unknown>): string {
    return this.#line({
      ...this.#head(),
      choices: [{ index: 0, finish_reason: null, logprobs: null, ...choice }],
      ...(this.#request.includeUsage ? { usage: null } : {}),
    })
  }

  #line(data: unknown): string {
    return `data: ${JSON.stringify(data)}\n\n`
  }

  #head(object = 'chat.completion.chunk'): Record<string, unknown> {
    return { id: 'chatcmpl-test', object, created: 1_700_000_000, model: this.#model }
  }

  /** Waits where the client reads slowly. */
  async #write(data: string | Uint8Array): Promise<void> {
    if (this.#response.destroyed || this.#response.write(data)) return
    const over = new AbortController()
    const { signal } = over
    await Promise.race(['drain', 'close'].map((name) => once(this.#response, name, { signal })))
    over.abort()
  }

  async #hang(): Promise<void> {
    if (!this.#signal.aborted) await once(this.#signal, 'abort')
  }
}

function usage(promptTokens: number, completionTokens: number): Record<string, unknown> {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 1 },
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
