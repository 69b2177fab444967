import * as z from 'zod/mini'
import type { OutgoingRequest, SendPurpose } from '../contract/route'
import type { Destination } from './outgoing'
import type { RouterStorage } from './storage/tables'

/** What a user is asked before the first byte leaves. */
export interface ConsentQuestion {
  readonly purpose: SendPurpose
  /**
   * What would leave, to the letter, and where to: one for each remote that may be asked, the likeliest first; another
   * only where one fails. `url` is empty where the remote does not tell it.
   */
  readonly requests: readonly OutgoingRequest[]
  /** The body of the first. */
  readonly text: string
  /** What consent would be remembered for, for the servers and models of `requests` alone. */
  readonly scope: string
  readonly user: string
  /** Personal data that was replaced in it. */
  readonly redacted: readonly { readonly kind: string; readonly placeholder: string }[]
  readonly signal: AbortSignal
}

/** 'once' is for this request alone, its retries and verification included; 'scope' is remembered. */
export type ConsentAnswer = 'no' | 'once' | 'scope'

export type AskConsent = (question: ConsentQuestion) => ConsentAnswer | Promise<ConsentAnswer>

export interface Consent {
  /** Whether the user said earlier that this scope may send to all of these. */
  remembered(user: string, scope: string, to: readonly Destination[]): Promise<boolean>
  /** Asks, unless it is remembered. */
  ask(question: ConsentQuestion): Promise<boolean>
  /** Forgets what was remembered: of one scope of a user, or all. */
  withdraw(of?: { user: string; scope: string }): Promise<void>
}

const rowSchema = z.object({
  id: z.string(),
  at: z.number(),
  to: z.array(z.object({ url: z.string(), model: z.string() })),
})

export function createConsent(
  ask: AskConsent | undefined,
  storage: RouterStorage,
  now: () => number,
): Consent {
  const idOf = (user: string, scope: string): string => JSON.stringify([user, scope])
  const grantedOf = async (user: string, scope: string): Promise<Destination[]> => {
    const row = rowSchema.safeParse(await storage.get('consent', idOf(user, scope)))
    return row.success ? row.data.to : []
  }
  const remembered: Consent['remembered'] = async (user, scope, to) => {
    const granted = await grantedOf(user, scope)
    return to.every(({ url, model }) => granted.some((each) => each.url === url && each.model === model))
  }
  return {
    remembered,
    async ask(question) {
      const { user, scope, requests } = question
      // What cannot be read was not granted.
      if (await remembered(user, scope, requests).catch(() => false)) return true
      const answer = (await ask?.(question)) ?? 'no'
      if (answer === 'scope') {
        const before = await grantedOf(user, scope).catch(() => [])
        const to = [...before, ...requests.map(({ url, model }) => ({ url, model }))]
        const row: z.infer<typeof rowSchema> = { id: idOf(user, scope), at: now(), to }
        // Not being able to remember it takes nothing from what was said now.
        await storage.put('consent', row).catch(() => undefined)
      }
      return answer === 'scope' || answer === 'once'
    },
    withdraw: (of) =>
      of === undefined ? storage.clear('consent') : storage.delete('consent', idOf(of.user, of.scope)),
  }
}
