import type { ChatCompletionParams, Engine } from '../contract/engine'
import type { Price, RouteDecision, RouteRequest } from '../contract/route'
import type { AnswerCache } from './answer-cache'
import type { Budget } from './budget'
import type { Consent } from './consent'
import type { LedgerEntry, WritableLedger } from './ledger'
import { factsOf, type DescribeQuestion } from './facts'
import { settingsFor, type RequestFacts, type RouteSettings } from './policy/settings'
import type { Policy } from './policy/schema'
import { priceOf, type PriceTable } from './prices'
import type { AnyScan } from './privacy/vault'
import type { Latency } from './providers/latency'
import type { KeptList, PersonCase, WaitingQuestion } from './queues'
import type { ConfidenceModel } from './signals/types'

/** What a router is made of; shared by its requests. */
export interface RouterParts {
  readonly local: Engine
  readonly remote: Engine | null
  /** null also where it was fitted to another model. */
  readonly calibration: ConfidenceModel | null
  readonly policy: () => Policy
  readonly scanFor: (level: 'standard' | 'strict') => AnyScan
  readonly prices: PriceTable
  readonly localFeatures: ReadonlySet<string>
  readonly localModalities: ReadonlySet<string>
  readonly consent: Consent
  readonly budget: Budget
  readonly cache: AnswerCache
  readonly ledger: WritableLedger
  readonly waiting: KeptList<WaitingQuestion>
  readonly people: KeptList<PersonCase>
  /** Whether a question may wait for the network: asked first. */
  readonly askToWait: (question: WaitingQuestion) => boolean | Promise<boolean>
  readonly onHuman: (item: PersonCase) => void
  readonly isOnline: () => boolean
  readonly now: () => number
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number
  /** Of the remote, as `now` counts. */
  readonly latency: Latency
}

/** One request on its way. `entry` grows until it is written to the ledger. */
export interface RouteRun {
  readonly parts: RouterParts
  readonly params: ChatCompletionParams
  readonly request: RouteRequest
  readonly facts: RequestFacts
  readonly settings: RouteSettings
  readonly entry: LedgerEntry
  readonly signal: AbortSignal
  /** Set once the user agreed for this request. */
  consented: boolean
}

/** The facts of a request, the settings they lead to, and an entry for the ledger. */
export function startRun(
  parts: RouterParts,
  params: ChatCompletionParams,
  { user: defaultUser, describe, signal }: { user: string; describe: DescribeQuestion; signal: AbortSignal },
): RouteRun {
  const request = params.minnow?.route ?? {}
  const { user = defaultUser, scope = 'default' } = request
  const at = parts.now()
  const facts = factsOf(params, request, { user, at: new Date(at), describe })
  const settings = settingsFor(parts.policy(), facts, request)
  const entry: LedgerEntry = {
    id: `chatcmpl-${crypto.randomUUID()}`,
    at,
    user,
    scope,
    task: facts.task,
    language: facts.language,
    arms: [...settings.arms],
    outcome: 'aborted',
    errorCode: null,
    decisions: [],
    source: null,
    confidence: null,
    localModel: parts.local.info.model,
    remoteModel: null,
    tokens: { localIn: 0, localOut: 0, wastedLocal: 0, remoteIn: 0, remoteOut: 0, estimated: false },
    price: null,
    cost: { spentUsd: 0, savedUsd: 0, priced: false, shadowUsd: 0 },
    latencyMs: { total: 0, firstText: null, local: 0, remote: 0, scan: 0, consent: 0 },
    sent: [],
    shadowAgreed: null,
    human: false,
  }
  return { parts, params, request, facts, settings, entry, signal, consented: false }
}

export function decide(
  run: RouteRun,
  decision: Pick<RouteDecision, 'action' | 'stage' | 'reason'> & Partial<RouteDecision>,
): RouteDecision {
  const whole: RouteDecision = { confidence: null, threshold: null, rule: null, ...decision }
  run.entry.decisions.push(whole)
  return whole
}

/** The decision that stands. */
export function standing(run: RouteRun): RouteDecision {
  return run.entry.decisions.at(-1) as RouteDecision
}

/** The price that holds for this request: the one in the ledger. */
export function priceFor(run: RouteRun): Price | null {
  const { remote } = run.parts
  return remote === null ? null : priceOf(remote.info, run.parts.prices)
}
