import type { Modality, RouteRequest, RoutingMode } from '../../contract/route'
import type { AcceptRule, PersonalDataPolicy, Policy, PolicyRule } from './schema'

/** What rules look at. */
export interface RequestFacts {
  readonly task: string
  readonly language: string
  readonly complexity: 'low' | 'medium' | 'high'
  readonly modality: Modality
  /** Of the prompt; estimated before it is counted. */
  readonly promptTokens: number
  readonly user: string
  readonly at: Date
}

/** A policy, applied to one request. */
export interface RouteSettings {
  readonly mode: RoutingMode
  /** Who set the mode. */
  readonly modeFrom: { readonly reason: 'mode' | 'rule' | 'experiment'; readonly rule: string | null }
  /** Ids of the experiments whose arm this user is in. */
  readonly arms: readonly string[]
  readonly accept: AcceptRule
  readonly verifyFrom: number | null
  readonly human: 'never' | 'unresolved' | 'always'
  readonly maxCostUsd: number
  readonly maxLatencyMs: number
  readonly personalData: PersonalDataPolicy
}

/**
 * The settings of one request: the request's own words, then rules, then experiments, then the policy itself. Ceilings only
 * ever shrink, and what the policy keeps on the device no request takes off it.
 */
export function settingsFor(policy: Policy, facts: RequestFacts, request: RouteRequest = {}): RouteSettings {
  const rules = policy.rules.filter((rule) => matches(rule, facts, request))
  const arms = policy.experiments.filter(({ id, share }) => unitHash(`${id}\u0000${facts.user}`) < share)
  const sources = [...rules, ...arms]
  const first = <K extends keyof PolicyRule['set']>(key: K): PolicyRule['set'][K] =>
    sources.find(({ set }) => set[key] !== undefined)?.set[key]
  const ceiling = (...values: readonly (number | undefined)[]): number =>
    Math.min(Infinity, ...values.filter((value) => value !== undefined))
  // Whoever chose that the device keeps all expects it, whatever the rules say.
  const isKept = policy.mode === 'only-on-device'
  const modeRule = isKept ? undefined : rules.find(({ set }) => set.mode !== undefined)
  const modeArm = isKept ? undefined : arms.find(({ set }) => set.mode !== undefined)
  const verifyFrom = first('verifyFrom')
  const policyMode = (modeRule ?? modeArm)?.set.mode ?? policy.mode
  const ownMode = policyMode === 'only-on-device' ? undefined : request.mode
  return {
    mode: ownMode ?? policyMode,
    modeFrom:
      ownMode !== undefined || (modeRule === undefined && modeArm === undefined)
        ? { reason: 'mode', rule: null }
        : { reason: modeRule ? 'rule' : 'experiment', rule: (modeRule ?? modeArm)?.id ?? null },
    arms: arms.map(({ id }) => id),
    accept: request.requiredAccuracy ?? first('accept') ?? policy.accept,
    verifyFrom: verifyFrom === undefined ? policy.verifyFrom : verifyFrom,
    human: first('human') ?? policy.human,
    maxCostUsd: ceiling(request.maxCostUsd, first('maxCostUsd'), policy.maxCostUsd, policy.budget.requestUsd),
    maxLatencyMs: ceiling(request.maxLatencyMs, first('maxLatencyMs'), policy.maxLatencyMs),
    personalData: first('personalData') ?? policy.personalData,
  }
}

function matches({ when }: PolicyRule, facts: RequestFacts, request: RouteRequest): boolean {
  const oneOf = <T>(list: readonly T[] | undefined, value: T): boolean => list?.includes(value) ?? true
  const atLeast = (bound: number | undefined, value: number | undefined): boolean =>
    bound === undefined || (value !== undefined && value >= bound)
  const atMost = (bound: number | undefined, value: number | undefined): boolean =>
    bound === undefined || (value !== undefined && value <= bound)
  return (
    oneOf(when.tasks, facts.task) &&
    oneOf(when.complexity, facts.complexity) &&
    oneOf(when.languages, facts.language) &&
    oneOf(when.modalities, facts.modality) &&
    atLeast(when.contextAtLeast, facts.promptTokens) &&
    atMost(when.contextAtMost, facts.promptTokens) &&
    atLeast(when.requiredAccuracyAtLeast, request.requiredAccuracy) &&
    atMost(when.maxCostUsdAtMost, request.maxCostUsd) &&
    atMost(when.maxLatencyMsAtMost, request.maxLatencyMs) &&
    (when.hours === undefined || within(when.hours, facts.at))
  )
}

function within({ from, to }: { from: string; to: string }, at: Date): boolean {
  const now = `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`
  return from <= to ? from <= now && now < to : now >= from || now < to
}

/** 0 (included) to 1 (excluded), the same for the same text: FNV-1a, 32 bits, then mixed (murmur3's finalizer). */
export function unitHash(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
