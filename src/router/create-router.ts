import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  ChatCompletions,
  Engine,
  RequestOptions,
} from '../contract/engine'
import { EngineError } from '../contract/error'
import type { RemoteCompletions } from '../contract/remote'
import type { Modality, Price } from '../contract/route'
import { createAnswerCache } from './answer-cache'
import { createBudget } from './budget'
import { completionOf } from './completion-of'
import { createConsent, type AskConsent, type Consent } from './consent'
import { createExclusive } from './exclusive'
import type { DescribeQuestion } from './facts'
import { createLedger, type Ledger } from './ledger'
import { parsePolicy, type Policy, type PolicyInput } from './policy/schema'
import { createScan } from './privacy/scan'
import type { AnyScan } from './privacy/vault'
import { createLatency } from './providers/latency'
import {
  createFeedbackList,
  createPeopleQueue,
  createWaitingList,
  labelsOf,
  type Feedback,
  type FeedbackLabel,
  type KeptList,
  type PersonCase,
  type WaitingQuestion,
} from './queues'
import { RouteRequest } from './route-request'
import { startRun, type RouterParts } from './route-run'
import { createSender, type WaitingQuestions } from './send-waiting'
import { runShadow } from './shadow'
import { languageOf, taskOf } from './signals/prompt-signal'
import type { ConfidenceModel } from './signals/types'
import { createMemoryStorage, TABLES, type RouterStorage } from './storage/tables'
import { spanOf, type RouteSpan } from './telemetry'
import { tell } from './tell'

export interface CreateRouterOptions {
  /** Answers on the device: Minnow's engine or any other. The router does not dispose of it. */
  local: Engine
  /** Is asked only then: one remote, or several as one (`createRemotePool`). Not disposed of either. Default: none. */
  remote?: Engine | null
  /** Default: local first, at most 10 % wrong answers accepted, personal data redacted. See docs/escalation.md. */
  policy?: PolicyInput
  /** Made by `minnow calibrate` for this very model. Default: none; local answers are then taken as they are. */
  calibration?: ConfidenceModel | null
  /** Asked before the first byte of a request leaves. Default: nobody can be asked, so nothing leaves. */
  consent?: AskConsent
  /** What remotes charge, by model, where they do not tell it themselves. */
  prices?: Readonly<Record<string, Price>>
  /** Where the ledger, queues, cache and consent are kept. Default: in memory. See `openIndexedDbStorage`. */
  storage?: RouterStorage
  /** Whose requests these are, where a request does not say. Default 'local'. */
  user?: string
  /** What the local engine can do, as `requires` of requests name it. Default ['json']. */
  localFeatures?: readonly string[]
  /** Default ['text']. */
  localModalities?: readonly Modality[]
  /** Tells task and language of a question. Default: from its words. */
  describe?: DescribeQuestion
  /** Finds personal data, in the place of Minnow's own scan. */
  scan?: AnyScan
  /** Asked when a question could wait for the network. Default: nothing waits. */
  askToWait?: (question: WaitingQuestion) => boolean | Promise<boolean>
  /** A waiting question was answered. */
  onAnswered?: (question: WaitingQuestion, completion: ChatCompletion) => void
  /** An answer was put in the queue for people. */
  onHuman?: (item: PersonCase) => void
  /** Gets a span for each request, without any text of it. Default: nothing is told. */
  onSpan?: (span: RouteSpan) => void
  /** Default: what the browser says; true where it says nothing. */
  isOnline?: () => boolean
  /** Milliseconds since 1970. For tests. */
  now?: () => number
  /** 0 to 1. For tests. */
  random?: () => number
}

/** An engine over engines, with what it keeps on the device. */
export interface Router extends Engine {
  /** Takes what its remote takes. */
  readonly chat: { readonly completions: RemoteCompletions }
  readonly policy: Policy
  /** Replaces the policy for requests from now on. @throws EngineError 'invalid-argument', and then the old one stays. */
  setPolicy(policy: PolicyInput | string): void
  readonly ledger: Ledger
  readonly consent: Pick<Consent, 'remembered' | 'withdraw'>
  readonly waiting: WaitingQuestions
  readonly people: Pick<KeptList<PersonCase>, 'list' | 'remove'>
  readonly feedback: {
    /** @param entry `id` of the answer's settled route. */
    add(entry: string, kind: Feedback['kind'], text?: string): Promise<void>
    list(): Promise<Feedback[]>
    /** What a calibration can learn from: local answers and whether people found them right. */
    labels(): Promise<FeedbackLabel[]>
  }
  /** Deletes everything the router keeps. What is under way goes on, and what it had written down does not come back. */
  wipe(): Promise<void>
}

/**
 * Routes each request to the local engine or to a remote, by policy and confidence.
 * @throws EngineError 'invalid-argument' where the policy is not valid, 'unsupported' where the calibration is of another
 * model.
 */
export function createRouter(options: CreateRouterOptions): Router {
  const { local, remote = null, calibration = null, prices = {}, user = 'local', now = Date.now } = options
  const { storage = createMemoryStorage() } = options
  checkCalibration(calibration, local)
  let policy = parsePolicy(options.policy ?? {})
  const describe: DescribeQuestion =
    options.describe ?? ((text) => ({ task: taskOf(text), language: languageOf(text) }))
  const disposal = new AbortController()
  const background = new Set<Promise<unknown>>()
  const ledger = createLedger(storage)
  const feedback = createFeedbackList(storage)
  const parts: RouterParts = {
    local,
    remote,
    calibration,
    policy: () => policy,
    scanFor: (level) => options.scan ?? createScan(level),
    // Own keys only: a model may have any name.
    prices: (model) => (Object.hasOwn(prices, model) ? (prices[model] ?? null) : null),
    localFeatures: new Set(options.localFeatures ?? ['json']),
    localModalities: new Set(options.localModalities ?? ['text']),
    consent: createConsent(options.consent, storage, now),
    budget: createBudget(() => policy, ledger, now, createExclusive('budget')),
    cache: createAnswerCache(storage, now),
    ledger,
    waiting: createWaitingList(storage),
    people: createPeopleQueue(storage),
    askToWait: options.askToWait ?? (() => false),
    onHuman: (item) => tell(options.onHuman, item),
    isOnline:
      options.isOnline ??
      (() => (globalThis as { navigator?: { onLine?: boolean } }).navigator?.onLine ?? true),
    now,
    random: options.random ?? Math.random,
    latency: createLatency(),
  }

  const inBackground = (work: Promise<unknown>): void => {
    background.add(work)
    void work.finally(() => background.delete(work))
  }
  inBackground(parts.cache.sweep().catch(() => undefined))

  async function* routed(
    params: ChatCompletionParams,
    { signal }: RequestOptions,
  ): AsyncGenerator<ChatCompletionChunk, void> {
    const run = startRun(parts, params, {
      user,
      describe,
      signal: signal === undefined ? disposal.signal : AbortSignal.any([signal, disposal.signal]),
    })
    run.signal.throwIfAborted()
    const request = new RouteRequest(run)
    try {
      yield* request.chunks()
    } finally {
      tell(options.onSpan, spanOf(run.entry))
    }
    inBackground(runShadow(run, request.text, disposal.signal))
  }

  const create = async (
    params: ChatCompletionParams,
    requestOptions: RequestOptions = {},
  ): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>> => {
    disposal.signal.throwIfAborted()
    requestOptions.signal?.throwIfAborted()
    const asked: ChatCompletionParams =
      params.stream === true ? params : { ...params, stream_options: { include_usage: true } }
    const chunks = routed(asked, requestOptions)
    return params.stream === true ? chunks : completionOf(chunks)
  }
  const completions = { create: create as ChatCompletions['create'] }

  return {
    chat: { completions },
    get info() {
      return local.info
    },
    get policy() {
      return policy
    },
    setPolicy(next) {
      policy = parsePolicy(next)
    },
    ledger,
    consent: parts.consent,
    waiting: createSender(parts, completions, { onAnswered: options.onAnswered, disposal: disposal.signal }),
    people: parts.people,
    feedback: {
      async add(entry, kind, text) {
        const about = await ledger.get(entry)
        await feedback.put({
          id: crypto.randomUUID(),
          at: now(),
          user: about?.user ?? user,
          entry,
          kind,
          text: text ?? null,
          task: about?.task ?? null,
          confidence: about?.confidence ?? null,
          source: about?.source?.kind ?? null,
        })
      },
      list: () => feedback.list(),
      labels: async () => labelsOf(await feedback.list()),
    },
    async wipe() {
      await Promise.all(TABLES.map((table) => storage.clear(table)))
    },
    async dispose() {
      disposal.abort(new EngineError('disposed', 'The router was disposed of. Create another one.'))
      await Promise.allSettled(background)
      storage.close()
    },
  }
}

function checkCalibration(calibration: ConfidenceModel | null, local: Engine): void {
  if (calibration === null || calibration.modelHash === local.info.modelHash) return
  throw new EngineError(
    'unsupported',
    `The calibration was made for the model ${calibration.modelHash.slice(0, 12)}…, and the local engine's is ` +
      `${local.info.modelHash?.slice(0, 12) ?? 'not told'}. Run "minnow calibrate" for this model, or leave it out.`,
    { details: { wanted: calibration.modelHash, got: local.info.modelHash ?? null } },
  )
}
