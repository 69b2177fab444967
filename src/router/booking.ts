import type { ChatCompletionChunk, Usage } from '../contract/engine'
import { isEngineError } from '../contract/error'
import type { OutgoingRequest, Price, SendPurpose } from '../contract/route'
import { costOf, estimateTokens } from './ledger'
import { priceOf } from './prices'
import { textsOf, type Outgoing } from './privacy/gate'
import type { RouteRun } from './route-run'

/** Writes into the ledger's entry what one call of a remote sends, and at its end what that cost. */
export interface Booking {
  /** Requests so far. */
  readonly requests: number
  /** The remote's text, as it came. */
  readonly text: string
  /** The model that answers. */
  readonly model: string
  sent(request: OutgoingRequest): void
  /** The newest request gave no text. */
  failed(error: unknown): void
  read(chunk: ChatCompletionChunk): void
  /** Adds up: the answer as the remote counts it, and the prompt of each request that was lost after it was sent. */
  close(): void
}

export function createBooking(run: RouteRun, purpose: SendPurpose, { params, vault }: Outgoing): Booking {
  const { entry, parts } = run
  const { info } = parts.remote!
  const requests: { model: string; end: 'open' | 'lost' | 'refused' }[] = []
  let text = ''
  let model = info.model
  let usage: Usage | null = null
  let told: Price | null = null

  const book = (tokensIn: number, tokensOut: number, price: Price | null): void => {
    const usd = price === null ? 0 : costOf(price, tokensIn, tokensOut)
    if (purpose === 'shadow') {
      entry.cost.shadowUsd += usd
      return
    }
    entry.tokens.remoteIn += tokensIn
    entry.tokens.remoteOut += tokensOut
    entry.cost.spentUsd += usd
  }

  return {
    get requests() {
      return requests.length
    },
    get text() {
      return text
    },
    get model() {
      return model
    },
    sent({ url, model: asked, body }) {
      requests.push({ model: asked, end: 'open' })
      const { replaced } = vault
      const attempt = requests.length
      entry.sent.push({ purpose, at: parts.now(), to: url, text: body, attempt, redacted: [...replaced] })
    },
    failed(error) {
      const last = requests.at(-1)
      if (last?.end === 'open') last.end = isRefusal(error) ? 'refused' : 'lost'
    },
    read(chunk) {
      // Some show no request; what they were given is all there is to record.
      if (requests.length === 0)
        this.sent({ url: info.model, model: info.model, body: JSON.stringify(params) })
      const { remote } = chunk.minnow ?? {}
      requests.at(-1)!.model = remote?.model ?? requests.at(-1)!.model
      model = chunk.model
      told = remote?.price ?? told
      usage = chunk.usage ?? usage
      text += chunk.choices[0]?.delta.content ?? ''
    },
    close() {
      const last = requests.at(-1)
      if (last === undefined) return
      const prompt = estimateTokens(textsOf(params.messages).join('\n'))
      const lost = requests.filter(({ end }) => end === 'lost')
      for (const { model: asked } of lost) book(prompt, 0, priceOf(info, parts.prices, asked))
      const price = told ?? parts.prices(model) ?? priceOf(info, parts.prices, last.model)
      if (last.end === 'open')
        book(usage?.prompt_tokens ?? prompt, usage?.completion_tokens ?? estimateTokens(text), price)
      if (purpose === 'shadow') return
      entry.remoteModel = model
      entry.price = price
      const counted = last.end !== 'open' || (usage !== null && usage.estimated !== true)
      if (lost.length > 0 || !counted) entry.tokens.estimated = true
    },
  }
}

/** Whether a remote said that it did not even begin, which none charges for. Where it is not sure, it counts as charged. */
function isRefusal(error: unknown): boolean {
  if (!isEngineError(error)) return false
  const { code, details } = error
  const refusals = ['unauthorized', 'rate-limited', 'quota-exceeded', 'context-overflow', 'invalid-argument']
  return refusals.includes(code) || (code === 'unavailable' && typeof details['status'] === 'number')
}
