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
  const keep = (row: z.infer<typeof rowSchema>): Promise<void> => storage.put('cache', row)
  return {
    async get(key) {
      const row = rowSchema.safeParse(await storage.get('cache', key))
      if (!row.success) return null
      if (row.data.expires > now()) return { model: row.data.model, text: row.data.text }
      await storage.delete('cache', key)
      return null
    },
    put: (key, user, { model, text }, lifetimeMs) =>
      keep({ id: key, at: now(), user, expires: now() + lifetimeMs, model, text }),
    wipe: () => storage.clear('cache'),
  }
}
