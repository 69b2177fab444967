import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { EngineError, type EngineErrorCode } from '../src/contract/error'
import { createRouter, type CreateRouterOptions } from '../src/router/create-router'
import type { PolicyInput } from '../src/router/policy/schema'
import type { ConfidenceModel } from '../src/router/signals/types'
import type { RouterStorage } from '../src/router/storage/tables'
import { createMockEngine, type MockEngineOptions } from '../src/testing'

/** Texts with personal data, labelled with what is where. */
const itemsSchema = z.array(
  z.object({
    full_text: z.string(),
    spans: z.array(
      z.object({ entity_type: z.string(), start_position: z.number(), end_position: z.number() }),
    ),
  }),
)
export type PersonalItem = z.infer<typeof itemsSchema>[number]

/** The items of `pii.json` in a folder. */
export async function readPersonalItems(folder: string): Promise<PersonalItem[]> {
  return itemsSchema.parse(JSON.parse(await readFile(join(folder, 'pii.json'), 'utf8')))
}

/** What left of requests that their caller labelled `private`. */
export interface PrivateFigures {
  readonly items: number
  /** Ways to fail times modes; each item goes through all. */
  readonly routers: number
  readonly sent: number
  /** Routers through which some of the items, without their label, reached the remote: a check that they could. */
  readonly routersThatSend: number
}

/** One thing that goes wrong, or that would make a router ask its remote. */
interface Fault {
  readonly router?: Partial<CreateRouterOptions>
  readonly policy?: PolicyInput
  /** What the calibration says of every answer; none where it is left out. */
  readonly confidence?: number
  readonly local?: MockEngineOptions
  readonly remote?: MockEngineOptions
  /** Whether the network only comes back when all was asked. */
  readonly isOffline?: boolean
}

const MODES = ['prefer-on-device', 'prefer-in-cloud', 'only-in-cloud'] as const
const CODES: readonly EngineErrorCode[] = [
  'network',
  'timeout',
  'unauthorized',
  'rate-limited',
  'unavailable',
  'internal',
]
const MODEL_HASH = '0'.repeat(64)
const broken = (): never => {
  throw new Error('injected')
}
const rejected = (): Promise<never> => Promise.reject(new Error('injected'))
const BROKEN_STORAGE: RouterStorage = {
  put: rejected,
  get: rejected,
  list: rejected,
  delete: rejected,
  clear: rejected,
  close() {},
}
const failing = (code: EngineErrorCode, atWord: number): MockEngineOptions => ({
  fail: { atWord, error: new EngineError(code, 'injected') },
})

const FAULTS: readonly Fault[] = [
  {},
  { confidence: 0, policy: { shadow: { share: 1 } } },
  { confidence: 0.5, policy: { accept: 0.9, verifyFrom: 0.1 } },
  { confidence: 0.5, policy: { human: 'always', accept: 0.9 } },
  { confidence: 0, policy: { personalData: { action: 'allow', level: 'standard' } } },
  { confidence: 0, router: { scan: () => [] } },
  { confidence: 0, router: { scan: broken } },
  { confidence: 0, router: { consent: broken } },
  { confidence: 0, router: { storage: BROKEN_STORAGE } },
  { confidence: 0, router: { describe: broken } },
  { confidence: 0, isOffline: true },
  ...CODES.flatMap((code): Fault[] => [
    { local: failing(code, 0) },
    { local: failing(code, 5) },
    { confidence: 0, remote: failing(code, 0) },
    { confidence: 0.5, policy: { accept: 0.9, verifyFrom: 0.1 }, remote: failing(code, 0) },
  ]),
]

/** Sends items labelled `private` through routers that fail in every way there is, and counts what a remote sees. */
export async function sendPrivateItems(texts: readonly string[]): Promise<PrivateFigures> {
  let sent = 0
  let routersThatSend = 0
  for (const fault of FAULTS) {
    for (const mode of MODES) {
      sent += await sentThrough(fault, mode, texts, true)
      if ((await sentThrough(fault, mode, texts.slice(0, 10), false)) > 0) routersThatSend++
    }
  }
  return { items: texts.length, routers: FAULTS.length * MODES.length, sent, routersThatSend }
}

/** How often the remote is called. */
async function sentThrough(
  fault: Fault,
  mode: (typeof MODES)[number],
  texts: readonly string[],
  isPrivate: boolean,
): Promise<number> {
  const remote = createMockEngine({
    reply: 'no',
    ...fault.remote,
    info: { backend: 'remote', model: 'remote' },
  })
  let isOnline = fault.isOffline !== true
  const router = createRouter({
    local: createMockEngine({
      reply: 'a b c d e f g h i j k l',
      signals: () => ({ logprob: -1, margin: 1, entropy: 1 }),
      ...fault.local,
      info: { modelHash: MODEL_HASH },
    }),
    remote,
    consent: () => 'scope',
    isOnline: () => isOnline,
    askToWait: () => true,
    calibration: fault.confidence === undefined ? null : alwaysSays(fault.confidence),
    ...fault.router,
    policy: { mode, ...fault.policy },
  })
  await Promise.all(
    texts.map((content) =>
      router.chat.completions
        .create({ messages: [{ role: 'user', content }], minnow: { route: { private: isPrivate } } })
        .catch(() => undefined),
    ),
  )
  isOnline = true
  await router.waiting.send().catch(() => 0)
  await router.dispose()
  return remote.calls.length
}

function alwaysSays(confidence: number): ConfidenceModel {
  const says = (): number => confidence
  return {
    modelHash: MODEL_HASH,
    quantization: 'none',
    beforeAnswer: says,
    duringAnswer: says,
    afterAnswer: says,
    threshold: () => 0.9,
  }
}
