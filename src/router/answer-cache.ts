import * as z from 'zod/mini'
import type { ChatCompletionParams } from '../contract/engine'
import type { Destination } from './outgoing'
import type { RouterStorage } from './storage/tables'

const rowSchema = z.object({
  id: z.string(),
  at: z.number(),
  user: z.string(),
  expires: z.number(),
  model: z.string(),
  text: z.string(),
})

/** A remote's answer as it came, placeholders and all. */
export interface CachedAnswer {
  readonly model: string
  readonly text: string
}

/** Exact: an answer is found only for the same user, remote and request, to the letter. */
export interface AnswerCache {
  get(key: string): Promise<CachedAnswer | null>
  put(key: string, user: string, answer: CachedAnswer, lifetimeMs: number): Promise<void>
  /** Deletes what has expired, also what nobody will look up again. */
  sweep(): Promise<void>
  wipe(): Promise<void>
}

/**
 * The key of what leaves, placeholders in the place of personal data. null where the page has no `crypto.subtle` (it is
 * not served securely): then nothing is cached.
 */
export async function cacheKey(
  user: string,
  remotes: readonly Destination[],
  params: ChatCompletionParams,
): Promise<string | null> {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle
  if (subtle === undefined) return null
  // How the answer is handed over does not change it.
  const { stream: _stream, stream_options: _streamOptions, ...asked } = params
  const from = remotes.map(({ url, model }) => [url, model])
  const text = JSON.stringify([user, from, Object.entries(asked).toSorted(([a], [b]) => (a < b ? -1 : 1))])
  const digest = await subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

export function createAnswerCache(storage: RouterStorage, now: () => number): AnswerCache {
  const sweep = async (): Promise<void> => {
    for (const each of await storage.list('cache')) {
      const row = rowSchema.safeParse(each)
      if (row.success && row.data.expires <= now()) await storage.delete('cache', row.data.id)
    }
  }
  return {
    sweep,
    async get(key) {
      const row = rowSchema.safeParse(await storage.get('cache', key))
      if (!row.success) return null
      return row.data.expires > now() ? { model: row.data.model, text: row.data.text } : null
    },
    async put(key, user, { model, text }, lifetimeMs) {
      await sweep()
      const row: z.infer<typeof rowSchema> = {
        id: key,
        at: now(),
        user,
        expires: now() + lifetimeMs,
        model,
        text,
      }
      await storage.put('cache', row)
    },
    wipe: () => storage.clear('cache'),
  }
}
