import type { LedgerEntry } from './ledger'

type Attributes = Record<string, string | number | boolean>

/**
 * A span as OpenTelemetry's protocol has it (JSON encoding of OTLP, attributes as a plain record), named after the
 * semantic conventions for generative AI. Holds no text of questions or answers.
 */
export interface RouteSpan {
  readonly name: 'minnow.route'
  readonly traceId: string
  readonly spanId: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: Attributes
  readonly events: readonly {
    readonly name: string
    readonly timeUnixNano: string
    readonly attributes: Attributes
  }[]
  readonly status: { readonly code: 'OK' | 'ERROR'; readonly message?: string }
}

export function spanOf(entry: LedgerEntry): RouteSpan {
  const end = entry.at + entry.latencyMs.total
  const { tokens, cost, source } = entry
  return {
    name: 'minnow.route',
    traceId: randomHex(16),
    spanId: randomHex(8),
    startTimeUnixNano: nanoseconds(entry.at),
    endTimeUnixNano: nanoseconds(end),
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': entry.localModel,
      ...(source === null
        ? {}
        : { 'gen_ai.response.model': source.model, 'minnow.route.source': source.kind }),
      'gen_ai.usage.input_tokens': tokens.localIn + tokens.remoteIn,
      'gen_ai.usage.output_tokens': tokens.localOut + tokens.remoteOut,
      'minnow.route.task': entry.task,
      'minnow.route.wasted_local_tokens': tokens.wastedLocal,
      'minnow.route.spent_usd': cost.spentUsd,
      'minnow.route.saved_usd': cost.savedUsd,
      'minnow.route.requests_sent': entry.sent.length,
      ...(entry.confidence === null ? {} : { 'minnow.route.confidence': entry.confidence }),
      ...(entry.errorCode === null ? {} : { 'error.type': entry.errorCode }),
    },
    events: entry.decisions.map(({ action, stage, reason, rule }) => ({
      name: 'minnow.route.decision',
      timeUnixNano: nanoseconds(end),
      attributes: { action, stage, reason, ...(rule === null ? {} : { rule }) },
    })),
    status: entry.errorCode === null ? { code: 'OK' } : { code: 'ERROR', message: entry.errorCode },
  }
}

function nanoseconds(milliseconds: number): string {
  return String(BigInt(Math.round(milliseconds)) * 1_000_000n)
}

function randomHex(bytes: number): string {
  return [...crypto.getRandomValues(new Uint8Array(bytes))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
}
