import type { Price } from '../contract/route'
import type { Policy } from './policy/schema'
import { costOf, type Ledger } from './ledger'

/** Room for one call of a remote. */
export interface Allowance {
  /** The most tokens the answer may have; null: no ceiling is set. */
  readonly mostTokens: number | null
  /** Ends the reservation, once the ledger knows what was spent. */
  release(): void
}

export interface BudgetRequest {
  readonly user: string
  /** An upper estimate of the prompt. */
  readonly tokensIn: number
  /** The most tokens wanted; null where the request does not say. */
  readonly tokensOut: number | null
  readonly price: Price | null
  /** US dollars that this request may still cost, by its own ceilings. */
  readonly requestUsd: number
}

export interface Budget {
  /** null: there is no room, so nothing may be sent. */
  reserve(request: BudgetRequest): Promise<Allowance | null>
}

/** What a remote may write where neither the caller nor the money says. */
const USUAL_TOKENS = 4096

/**
 * Money of the day, of a user's day and of a request. Fails closed: with a ceiling and no price, or a ledger that
 * cannot be read, nothing is sent. Calls that run at once share what is left.
 */
export function createBudget(policy: () => Policy, ledger: Ledger, now: () => number): Budget {
  const reserved = new Set<{ user: string; usd: number }>()

  const spentToday = async (user: string): Promise<{ all: number; user: number }> => {
    const midnight = new Date(now()).setHours(0, 0, 0, 0)
    const sums = { all: 0, user: 0 }
    for (const entry of await ledger.list({ since: midnight })) {
      sums.all += entry.cost.spentUsd
      if (entry.user === user) sums.user += entry.cost.spentUsd
    }
    for (const held of reserved) {
      sums.all += held.usd
      if (held.user === user) sums.user += held.usd
    }
    return sums
  }

  const reserve: Budget['reserve'] = async ({ user, tokensIn, tokensOut, price, requestUsd }) => {
    const { dayUsd = Infinity, userDayUsd = Infinity } = policy().budget
    if (dayUsd === Infinity && userDayUsd === Infinity && requestUsd === Infinity) {
      return { mostTokens: null, release() {} }
    }
    if (price === null) return null
    const held = { user, usd: 0 }
    reserved.add(held)
    const release = (): void => void reserved.delete(held)
    try {
      const spent = await spentToday(user)
      const left = Math.min(requestUsd, dayUsd - spent.all, userDayUsd - spent.user)
      const leftForAnswer = left - costOf(price, tokensIn, 0)
      const affordable =
        price.outputPerMillion === 0 ? Infinity : Math.floor((leftForAnswer * 1e6) / price.outputPerMillion)
      const mostTokens = Math.min(affordable, tokensOut ?? USUAL_TOKENS)
      if (leftForAnswer < 0 || mostTokens < Math.min(tokensOut ?? 16, 16)) {
        release()
        return null
      }
      held.usd = costOf(price, tokensIn, mostTokens)
      return { mostTokens, release }
    } catch {
      release()
      return null
    }
  }

  // One after the other, or two calls at once would both find the same room.
  let turn: Promise<unknown> = Promise.resolve()
  return {
    reserve(request) {
      const own = turn.then(() => reserve(request))
      turn = own
      return own
    },
  }
}
