import type { ChatCompletionChunk, Engine } from '../../../src/contract/engine'
import type { RouteEvent, RouteRequest, SettledRoute } from '../../../src/contract/route'
import { createRouter, type CreateRouterOptions, type Router } from '../../../src/router/create-router'
import type { ConfidenceModel } from '../../../src/router/signals/types'
import { createMockEngine, type MockEngine, type MockEngineOptions } from '../../../src/testing'

const HASH = 'ab'.repeat(32)
export const LOCAL_ANSWER = 'local one two three four five six seven eight nine ten eleven twelve end'
export const REMOTE_ANSWER = 'remote alpha beta gamma'
export const PRICE = { inputPerMillion: 1000, outputPerMillion: 2000, date: '2025-01-01' }

export function localEngine(options: MockEngineOptions = {}): MockEngine {
  return createMockEngine({
    reply: LOCAL_ANSWER,
    signals: () => ({ logprob: -0.5, margin: 1, entropy: 1 }),
    promptSignals: { hidden: null, tokens: 5 },
    ...options,
    info: { model: 'small', backend: 'wasm', modelHash: HASH, ...options.info },
  })
}

export function remoteEngine(options: MockEngineOptions = {}): MockEngine {
  return createMockEngine({
    reply: REMOTE_ANSWER,
    ...options,
    info: { model: 'large', backend: 'remote', contextLength: Infinity, ...options.info },
  })
}

/** A calibration that says what it is told; thresholds of targets are .5 at every stage. */
export function calibration(
  says: { before?: number; during?: number; after?: number } = {},
): ConfidenceModel {
  return {
    modelHash: HASH,
    quantization: 'Q4_1',
    beforeAnswer: () => says.before ?? null,
    duringAnswer: () => says.during ?? null,
    afterAnswer: () => says.after ?? null,
    threshold: () => 0.5,
  }
}

export interface Setup extends Partial<CreateRouterOptions> {
  says?: { before?: number; during?: number; after?: number }
}

/** A router over mock engines whose user agrees to everything. */
export function setup({ says, ...options }: Setup = {}): {
  router: Router
  local: Engine
  remote: Engine | null
} {
  const local = options.local ?? localEngine()
  const remote = options.remote === undefined ? remoteEngine() : options.remote
  const router = createRouter({
    local,
    consent: () => 'once',
    calibration: says === undefined ? null : calibration(says),
    isOnline: () => true,
    ...options,
    remote,
  })
  return { router, local, remote }
}

export interface Seen {
  /** What a reader shows in the end, who drops its text on 'upgrading' and 'restoring'. */
  text: string
  /** What it showed before it dropped it. */
  dropped: string[]
  events: RouteEvent[]
  settled: SettledRoute
  chunks: ChatCompletionChunk[]
}

export async function ask(
  router: Router,
  content = 'What is it?',
  route: RouteRequest = {},
  signal?: AbortSignal,
): Promise<Seen> {
  const stream = await router.chat.completions.create(
    { messages: [{ role: 'user', content }], stream: true, temperature: 0, minnow: { route } },
    signal === undefined ? {} : { signal },
  )
  const seen: Omit<Seen, 'settled'> = { text: '', dropped: [], events: [], chunks: [] }
  for await (const chunk of stream) {
    seen.chunks.push(chunk)
    const event = chunk.minnow?.route
    if (event !== undefined) seen.events.push(event)
    if (event?.type === 'upgrading' || event?.type === 'restoring') {
      seen.dropped.push(seen.text)
      seen.text = ''
    }
    seen.text += chunk.choices[0]?.delta.content ?? ''
  }
  const settled = seen.events.at(-1)
  if (settled?.type !== 'settled') throw new Error('The last event is not settled.')
  return { ...seen, settled }
}
