import type { Exclusive } from './exclusive'
import { costOf, type LedgerEntry, type WritableLedger } from './ledger'
import type { Policy } from './policy/schema'
import type { Rates } from './prices'

/** Room for one call of a remote. */
export interface Allowance {
  /** The most tokens the answer may have; null: no ceiling is set. */
  readonly mostTokens: number | null
  /** Ends the reservation; the entry is to be written down afterwards, with what was spent. */
  release(): void
}

export interface BudgetRequest {
  /** Its `cost.heldUsd` is what is set aside, and it is written down with it. */
  readonly entry: LedgerEntry
  /** An upper estimate of the prompt. */
  readonly tokensIn: number
  /** The most tokens wanted; null where the request does not say. */
  readonly tokensOut: number | null
  /** The most that may be charged; null where that is not known. */
  readonly price: Rates | null
  /** US dollars that this request may still cost, by its own ceilings. */
  readonly requestUsd: number
  readonly signal: AbortSignal
}

export interface Budget {
  /** null: there is no room, so nothing may be sent. */
  reserve(request: BudgetRequest): Promise<Allowance | null>
}

/** What a remote may write where neither the caller nor the money says. */
const USUAL_TOKENS = 4096

/**
 * Money of the day, of a user's day and of a request. Fails closed: with a ceiling and no price, or a ledger that
 * cannot be read and written, nothing is sent. Calls that run at once share what is left, those of other tabs too: what is
 * set aside stands in the ledger, and that of a tab that was closed in the middle stays spent.
 */
export function createBudget(
  policy: () => Policy,
  ledger: WritableLedger,
  now: () => number,
  exclusive: Exclusive,
): Budget {
  const spentToday = async (user: string): Promise<{ all: number; user: number }> => {
    const midnight = new Date(now()).setHours(0, 0, 0, 0)
    const sums = { all: 0, user: 0 }
    for (const entry of await ledger.list({ since: midnight })) {
      const usd = entry.cost.spentUsd + (entry.cost.heldUsd ?? 0)
      sums.all += usd
      if (entry.user === user) sums.user += usd
    }
    return sums
  }

  const reserve = async (
    { entry, tokensIn, tokensOut, requestUsd }: BudgetRequest,
    price: Rates,
  ): Promise<Allowance | null> => {
    const { dayUsd = Infinity, userDayUsd = Infinity } = policy().budget
    const release = (): void => void delete entry.cost.heldUsd
    try {
      const spent = await spentToday(entry.user)
      const left = Math.min(requestUsd, dayUsd - spent.all, userDayUsd - spent.user)
      const leftForAnswer = left - costOf(price, tokensIn, 0)
      const affordable =
        price.outputPerMillion === 0 ? Infinity : Math.floor((leftForAnswer * 1e6) / price.outputPerMillion)
      const mostTokens = Math.min(affordable, tokensOut ?? USUAL_TOKENS)
      if (leftForAnswer < 0 || mostTokens < Math.min(tokensOut ?? 16, 16)) return null
      entry.cost.heldUsd = costOf(price, tokensIn, mostTokens)
      await ledger.put(entry)
      return { mostTokens, release }
    } catch {
      release()
      return null
    }
  }

  return {
    async reserve(request) {
      const { dayUsd = Infinity, userDayUsd = Infinity } = policy().budget
      if (dayUsd === Infinity && userDayUsd === Infinity && request.requestUsd === Infinity) {
        return { mostTokens: null, release() {} }
      }
      const { price, signal } = request
      if (price === null) return null
      // One after the other, or two calls at once would both find the same room.
      return exclusive(() => reserve(request, price), signal).catch((error: unknown) => {
        if (signal.aborted) throw error
        return null
      })
    },
  }
}
