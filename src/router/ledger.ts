import * as z from 'zod/mini'
import type { RouteDecision, SentRecord, SettledRoute } from '../contract/route'
import type { Rates } from './prices'
import type { RouterStorage } from './storage/tables'

const amount = z.number().check(z.minimum(0))
const decisionSchema = z.object({
  action: z.enum(['local', 'verify', 'escalate', 'human', 'queue']),
  stage: z.enum(['rules', 'before', 'first-tokens', 'during', 'after']),
  reason: z.string(),
  confidence: z.nullable(z.number()),
  threshold: z.nullable(z.number()),
  rule: z.nullable(z.string()),
})

const entrySchema = z.object({
  id: z.string(),
  at: z.number(),
  user: z.string(),
  scope: z.string(),
  task: z.string(),
  language: z.string(),
  /** Ids of the experiments whose arm the user was in. */
  arms: z.array(z.string()),
  outcome: z.enum(['answered', 'failed', 'aborted']),
  /** Of the failure, or of the remote's where the device answered in its place; null where there was none. */
  errorCode: z.nullable(z.string()),
  /** All of them, in order; the last is the one that stood. */
  decisions: z.array(decisionSchema),
  source: z.nullable(
    z.object({
      kind: z.enum(['local', 'verified', 'unverified', 'remote', 'cache']),
      model: z.string(),
      verifiedBy: z.nullable(z.string()),
    }),
  ),
  confidence: z.nullable(z.number()),
  localModel: z.string(),
  remoteModel: z.nullable(z.string()),
  /** `wastedLocal` were generated here and then not shown. */
  tokens: z.object({
    localIn: amount,
    localOut: amount,
    wastedLocal: amount,
    remoteIn: amount,
    remoteOut: amount,
    /** True where a remote did not count. */
    estimated: z.boolean(),
  }),
  price: z.nullable(z.object({ inputPerMillion: amount, outputPerMillion: amount, date: z.string() })),
  /** US dollars. Shadow runs are the embedder's, and no part of any budget. */
  cost: z.object({
    spentUsd: amount,
    savedUsd: amount,
    priced: z.boolean(),
    shadowUsd: amount,
    /** Set aside while a remote answers under a budget; left where the page was closed before it had. */
    heldUsd: z.optional(amount),
  }),
  /** Milliseconds. `firstText`: until text was shown; null where none was. */
  latencyMs: z.object({
    total: amount,
    firstText: z.nullable(amount),
    local: amount,
    remote: amount,
    scan: amount,
    consent: amount,
  }),
  sent: z.array(
    z.object({
      purpose: z.enum(['answer', 'verify', 'shadow']),
      at: z.number(),
      to: z.string(),
      text: z.string(),
      attempt: z.number(),
      redacted: z.array(z.object({ kind: z.string(), placeholder: z.string() })),
    }),
  ),
  /** Whether an unseen remote answer was the same, once white space is put aside; null where there was none. */
  shadowAgreed: z.nullable(z.boolean()),
  human: z.boolean(),
})

/** One request, as it went. Holds neither its prompt nor its answer, apart from what was sent. */
export type LedgerEntry = z.infer<typeof entrySchema>

export interface LedgerTotals {
  readonly requests: number
  /** 0…1 of the answered ones: those a remote or its cache answered. */
  readonly escalatedShare: number
  readonly spentUsd: number
  readonly savedUsd: number
  readonly wastedLocalTokens: number
}

/** What became of every request, kept on the device. */
export interface Ledger {
  /** Oldest first; rows that are not valid are left out. */
  list(filter?: { since?: number; user?: string }): Promise<LedgerEntry[]>
  get(id: string): Promise<LedgerEntry | null>
  totals(filter?: { since?: number; user?: string }): Promise<LedgerTotals>
  export(format: 'csv' | 'json'): Promise<string>
  /** Deletes all entries. */
  wipe(): Promise<void>
}

/** A ledger's own side. */
export interface WritableLedger extends Ledger {
  /** Writes an entry, or writes it anew, unless it was deleted meanwhile. */
  put(entry: LedgerEntry): Promise<void>
}

export function createLedger(storage: RouterStorage): WritableLedger {
  const written = new WeakSet<LedgerEntry>()
  const list: Ledger['list'] = async ({ since, user } = {}) => {
    const rows = await storage.list('ledger', since)
    return rows.flatMap((row) => {
      const entry = entrySchema.safeParse(row)
      return entry.success && (user === undefined || entry.data.user === user) ? [entry.data] : []
    })
  }
  return {
    list,
    async get(id) {
      const entry = entrySchema.safeParse(await storage.get('ledger', id))
      return entry.success ? entry.data : null
    },
    async totals(filter) {
      const entries = await list(filter)
      const answered = entries.filter(({ source }) => source !== null)
      const escalated = answered.filter(({ source }) => source?.kind === 'remote' || source?.kind === 'cache')
      const sum = (value: (entry: LedgerEntry) => number): number =>
        entries.reduce((total, entry) => total + value(entry), 0)
      return {
        requests: entries.length,
        escalatedShare: answered.length === 0 ? 0 : escalated.length / answered.length,
        spentUsd: sum(({ cost }) => cost.spentUsd),
        savedUsd: sum(({ cost }) => cost.savedUsd),
        wastedLocalTokens: sum(({ tokens }) => tokens.wastedLocal),
      }
    },
    async export(format) {
      const entries = await list()
      return format === 'json' ? JSON.stringify(entries, null, 2) : csvOf(entries)
    },
    wipe: () => storage.clear('ledger'),
    async put(entry) {
      if (written.has(entry) && (await storage.get('ledger', entry.id)) === undefined) return
      await storage.put('ledger', entry)
      written.add(entry)
    },
  }
}

type Cell = string | number | boolean | null

const COLUMNS: Readonly<Record<string, (entry: LedgerEntry) => Cell>> = {
  id: ({ id }) => id,
  time: ({ at }) => new Date(at).toISOString(),
  user: ({ user }) => user,
  task: ({ task }) => task,
  language: ({ language }) => language,
  arms: ({ arms }) => arms.join(' '),
  outcome: ({ outcome }) => outcome,
  error: ({ errorCode }) => errorCode,
  source: ({ source }) => source?.kind ?? null,
  model: ({ source }) => source?.model ?? null,
  verified_by: ({ source }) => source?.verifiedBy ?? null,
  action: ({ decisions }) => decisions.at(-1)?.action ?? null,
  stage: ({ decisions }) => decisions.at(-1)?.stage ?? null,
  reason: ({ decisions }) => decisions.at(-1)?.reason ?? null,
  confidence: ({ confidence }) => confidence,
  threshold: ({ decisions }) => decisions.at(-1)?.threshold ?? null,
  local_in: ({ tokens }) => tokens.localIn,
  local_out: ({ tokens }) => tokens.localOut,
  wasted_local: ({ tokens }) => tokens.wastedLocal,
  remote_model: ({ remoteModel }) => remoteModel,
  remote_in: ({ tokens }) => tokens.remoteIn,
  remote_out: ({ tokens }) => tokens.remoteOut,
  price_in_per_million: ({ price }) => price?.inputPerMillion ?? null,
  price_out_per_million: ({ price }) => price?.outputPerMillion ?? null,
  price_date: ({ price }) => price?.date ?? null,
  spent_usd: ({ cost }) => cost.spentUsd,
  saved_usd: ({ cost }) => cost.savedUsd,
  shadow_usd: ({ cost }) => cost.shadowUsd,
  total_ms: ({ latencyMs }) => latencyMs.total,
  first_text_ms: ({ latencyMs }) => latencyMs.firstText,
  local_ms: ({ latencyMs }) => latencyMs.local,
  remote_ms: ({ latencyMs }) => latencyMs.remote,
  sent: ({ sent }) => sent.length,
  human: ({ human }) => human,
}

/** RFC 4180. Texts that a spreadsheet would take for a formula get an apostrophe before. */
function csvOf(entries: readonly LedgerEntry[]): string {
  const cell = (value: Cell): string => {
    if (typeof value !== 'string') return value === null ? '' : String(value)
    const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
  }
  const lines = entries.map((entry) => Object.values(COLUMNS).map((column) => cell(column(entry))))
  return [Object.keys(COLUMNS), ...lines].map((line) => `${line.join(',')}\r\n`).join('')
}

/** US dollars for so many tokens. */
export function costOf(price: Rates, tokensIn: number, tokensOut: number): number {
  return (price.inputPerMillion * tokensIn + price.outputPerMillion * tokensOut) / 1e6
}

/** About four UTF-8 bytes a token, where nobody counted. */
export function estimateTokens(text: string): number {
  return Math.ceil(new TextEncoder().encode(text).length / 4)
}

/** The entry's side that an answer tells. */
export function settledOf(entry: LedgerEntry): SettledRoute | null {
  const decision = entry.decisions.at(-1)
  if (entry.source === null || decision === undefined) return null
  const { spentUsd, savedUsd, priced } = entry.cost
  return {
    type: 'settled',
    id: entry.id,
    source: entry.source,
    confidence: entry.confidence,
    decision: decision as RouteDecision,
    sent: [...entry.sent] as SentRecord[],
    cost: { spentUsd, savedUsd, priced },
    errorCode: entry.errorCode,
    human: entry.human,
  }
}
