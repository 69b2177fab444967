import * as z from 'zod/mini'
import type { SendPurpose } from '../contract/route'
import type { RouterStorage } from './storage/tables'

/** What a user is asked before the first byte leaves. */
export interface ConsentQuestion {
  readonly purpose: SendPurpose
  /** Of the remote. */
  readonly model: string
  /** What consent would be remembered for. */
  readonly scope: string
  readonly user: string
  /** The request as it would leave, as JSON. */
  readonly text: string
  /** Personal data that was replaced in it. */
  readonly redacted: readonly { readonly kind: string; readonly placeholder: string }[]
  readonly signal: AbortSignal
}

/** 'once' is for this request alone, its retries and verification included; 'scope' is remembered. */
export type ConsentAnswer = 'no' | 'once' | 'scope'

export type AskConsent = (question: ConsentQuestion) => ConsentAnswer | Promise<ConsentAnswer>

export interface Consent {
  /** Whether the user said earlier that this scope may send. */
  remembered(user: string, scope: string): Promise<boolean>
  /** Asks, unless it is remembered. */
  ask(question: ConsentQuestion): Promise<boolean>
  /** Forgets what was remembered: of one scope of a user, or all. */
  withdraw(of?: { user: string; scope: string }): Promise<void>
}

const rowSchema = z.object({ id: z.string(), at: z.number(), granted: z.literal(true) })

export function createConsent(
  ask: AskConsent | undefined,
  storage: RouterStorage,
  now: () => number,
): Consent {
  const idOf = (user: string, scope: string): string => JSON.stringify([user, scope])
  const remembered: Consent['remembered'] = async (user, scope) =>
    rowSchema.safeParse(await storage.get('consent', idOf(user, scope))).success
  return {
    remembered,
    async ask(question) {
      const { user, scope } = question
      // What cannot be read was not granted.
      if (await remembered(user, scope).catch(() => false)) return true
      const answer = (await ask?.(question)) ?? 'no'
      if (answer === 'scope') {
        const row: z.infer<typeof rowSchema> = { id: idOf(user, scope), at: now(), granted: true }
        // Not being able to remember it takes nothing from what was said now.
        await storage.put('consent', row).catch(() => undefined)
      }
      return answer === 'scope' || answer === 'once'
    },
    withdraw: (of) =>
      of === undefined ? storage.clear('consent') : storage.delete('consent', idOf(of.user, of.scope)),
  }
}
