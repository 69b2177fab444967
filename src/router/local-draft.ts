import type { ChatCompletionChunk, FinishReason, Usage } from '../contract/engine'
import type { PromptReading, TokenSignal } from '../contract/signals'
import type { RouteRun } from './route-run'

/** The local answer as it grows: its text and what the engine tells of its certainty. Paused whenever nobody asks for more. */
export interface LocalDraft {
  readonly text: string
  readonly tokens: readonly TokenSignal[]
  readonly reading: PromptReading | null
  /** Tokens so far; pieces of text where the engine does not tell. */
  readonly length: number
  readonly finish: FinishReason | null
  /** Once it has ended, where the engine tells. */
  readonly usage: Usage | null
  /** The next chunk, or null at the end. The chunk that says why it ended is the last. */
  next(): Promise<ChatCompletionChunk | null>
  /** Stops the engine. */
  cancel(): Promise<void>
  /** Adds what it took to the ledger's entry: `wasted` where its text is not what is shown. Once; later calls do nothing. */
  account(wasted: boolean): void
}

export async function openDraft(run: RouteRun): Promise<LocalDraft> {
  const { parts, params, entry } = run
  const { route: _route, ...minnow } = params.minnow ?? {}
  const started = parts.now()
  let busyMs = 0
  const chunks = await parts.local.chat.completions.create(
    {
      ...params,
      stream: true,
      stream_options: { include_usage: true },
      minnow: { ...minnow, ...(parts.calibration === null ? {} : { signals: true }) },
    },
    { signal: run.signal },
  )
  busyMs += parts.now() - started
  const iterator = chunks[Symbol.asyncIterator]()
  const tokens: TokenSignal[] = []
  let text = ''
  let pieces = 0
  let reading: PromptReading | null = null
  let finish: FinishReason | null = null
  let usage: Usage | null = null
  let accounted = false
  return {
    get text() {
      return text
    },
    tokens,
    get reading() {
      return reading
    },
    get length() {
      return Math.max(tokens.length, pieces)
    },
    get finish() {
      return finish
    },
    get usage() {
      return usage
    },
    async next() {
      const from = parts.now()
      try {
        for (;;) {
          const result = await iterator.next()
          if (result.done === true) return null
          const chunk = result.value
          usage = chunk.usage ?? usage
          const choice = chunk.choices[0]
          reading = chunk.minnow?.promptSignals ?? reading
          tokens.push(...(chunk.minnow?.signals ?? []))
          if (choice === undefined) continue
          text += choice.delta.content ?? ''
          if (choice.delta.content) pieces++
          finish = choice.finish_reason ?? finish
          return chunk
        }
      } finally {
        busyMs += parts.now() - from
      }
    },
    async cancel() {
      await iterator.return?.()
    },
    account(wasted) {
      if (accounted) return
      accounted = true
      entry.tokens.localIn += usage?.prompt_tokens ?? reading?.tokens ?? run.facts.promptTokens
      const generated = usage?.completion_tokens ?? Math.max(tokens.length, pieces)
      entry.tokens.localOut += generated
      if (wasted) entry.tokens.wastedLocal += generated
      entry.latencyMs.local += busyMs
    },
  }
}
