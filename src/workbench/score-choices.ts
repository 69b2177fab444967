import type { TextReader } from './text-reader'

/** A continuation after its context. */
export interface TextPair {
  readonly context: string
  readonly continuation: string
}

/** Ways to compare continuations of different lengths by their log-probability. */
export const NORMALISATIONS = ['sum', 'byToken', 'byByte'] as const
export type Normalisation = (typeof NORMALISATIONS)[number]

/** What each continuation's log-probability (natural) is, whole, a token and a byte of UTF-8. */
export async function scoreChoices(
  reader: TextReader,
  pairs: readonly TextPair[],
  options: { signal?: AbortSignal | undefined } = {},
): Promise<Record<Normalisation, number>[]> {
  const scores = []
  for (const { context, continuation } of pairs) {
    const tokens = reader.encodeContinuation(continuation)
    const { signals } = await reader.read(reader.encode(context), tokens, options)
    const sum = signals.reduce((total, { logprob }) => total + logprob, 0)
    const bytes = new TextEncoder().encode(continuation).length
    scores.push({ sum, byToken: sum / tokens.length, byByte: sum / bytes })
  }
  return scores
}

/** The first of the largest. */
export function likeliest(scores: readonly number[]): number {
  return scores.reduce((best, score, index) => (score > scores[best]! ? index : best), 0)
}
