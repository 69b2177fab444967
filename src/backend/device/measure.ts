import type { Backend, BackendSession, Logits } from '../backend'

/** Milliseconds a token. */
export interface Pace {
  readonly prefillMs: number
  readonly decodeMs: number
}

const PREFILL_TOKENS = 32
const DECODE_STEPS = 8
/** No further round begins after this. */
const BUDGET_MS = 1200
const MOST_ROUNDS = 5

/**
 * How fast two backends are at the same model, in turns, so that what else the device does meets both: medians of
 * rounds of a chunk of prefill and some steps of greedy decoding, the first of which only warms up.
 * @param tokens any 32
 */
export async function comparePaces(
  backends: readonly [Backend, Backend],
  tokens: readonly number[],
  options: { signal?: AbortSignal | undefined; now?: () => number } = {},
): Promise<[Pace, Pace]> {
  const { signal, now = () => performance.now() } = options
  const prompt = Array.from({ length: PREFILL_TOKENS }, (_, i) => tokens[i % tokens.length]!)
  const contextLength = PREFILL_TOKENS + DECODE_STEPS + 1
  const sessions: BackendSession[] = []
  const rounds: Pace[][] = [[], []]
  const startedAt = now()
  try {
    for (const backend of backends) sessions.push(backend.createSession({ contextLength }))
    for (let round = 0; round < MOST_ROUNDS; round++) {
      for (const [i, session] of sessions.entries()) {
        signal?.throwIfAborted()
        rounds[i]!.push(await measureRound(session, prompt, now))
      }
      if (round > 0 && now() - startedAt > BUDGET_MS) break
    }
  } finally {
    for (const session of sessions) session.dispose()
  }
  const [first, second] = rounds.map((paces) => medianPace(paces.slice(1)))
  return [first!, second!]
}

/** Milliseconds of a question of 128 tokens and an answer as long. */
export function exchangeMs({ prefillMs, decodeMs }: Pace): number {
  return 128 * (prefillMs + decodeMs)
}

async function measureRound(session: BackendSession, prompt: number[], now: () => number): Promise<Pace> {
  session.truncate(0)
  const startedAt = now()
  const [logits] = await session.forward(prompt, { detail: 'summary' })
  const prefilledAt = now()
  await decode(session, logits!.argmax)
  return {
    prefillMs: (prefilledAt - startedAt) / prompt.length,
    decodeMs: (now() - prefilledAt) / DECODE_STEPS,
  }
}

/** As an answer is decoded: two steps under way where the device can. */
async function decode(session: BackendSession, token: number): Promise<void> {
  if (session.follow === undefined) {
    let next = token
    for (let step = 0; step < DECODE_STEPS; step++) {
      next = (await session.forward([next], { detail: 'summary' }))[0]!.argmax
    }
    return
  }
  let current: Promise<Logits> = session.follow({ detail: 'summary' })
  for (let step = 1; step < DECODE_STEPS; step++) {
    const ahead = session.follow({ detail: 'summary' })
    ahead.catch(() => undefined)
    await current
    current = ahead
  }
  await current
}

function medianPace(paces: readonly Pace[]): Pace {
  return {
    prefillMs: median(paces.map(({ prefillMs }) => prefillMs)),
    decodeMs: median(paces.map(({ decodeMs }) => decodeMs)),
  }
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
