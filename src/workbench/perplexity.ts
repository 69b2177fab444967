import { EngineError } from '../contract/error'
import { macrotaskYield } from '../engine/macrotask'
import type { ReadableModel } from './text-reader'

export interface PerplexityOptions {
  /** Tokens of a window, 4 or more. Default 512. */
  windowLength?: number
  signal?: AbortSignal | undefined
  onProgress?: (windowsDone: number, windows: number) => void
}

export interface Perplexity {
  /** exp of the mean negative log-probability of the scored tokens. */
  readonly perplexity: number
  /** Of the perplexity, from the spread of its tokens; 0 for one token. */
  readonly standardError: number
  /** Of text, not of tokens: comparable between vocabularies. */
  readonly bitsPerByte: number
  readonly scoredTokens: number
  readonly tokens: number
  readonly windows: number
}

/**
 * How well a model foresees a text, as llama.cpp's perplexity tool counts it: the text in windows that do not overlap, of
 * each only the second half scored, so that every scored token has at least half a window before it; what is left
 * over at the end is not read. A text shorter than a window is one window, scored from its second token on.
 * Log-probabilities are those of the raw logits, at temperature 1.
 * @throws EngineError 'invalid-argument' for a text of fewer than two tokens
 */
export async function measurePerplexity(
  model: ReadableModel,
  text: string,
  { windowLength = 512, signal, onProgress }: PerplexityOptions = {},
): Promise<Perplexity> {
  const { tokenizer } = model
  const tokens = tokenizer.encode(text, { addBos: tokenizer.addsBos })
  const isShort = tokens.length < windowLength
  const length = isShort ? tokens.length : windowLength
  if (length < 2) {
    throw new EngineError('invalid-argument', `A perplexity needs two tokens; the text has ${tokens.length}.`)
  }
  const windows = Math.floor(tokens.length / length)
  /** The first position whose next token counts. */
  const first = isShort ? 0 : Math.floor(length / 2)
  let count = 0
  let sum = 0
  let squares = 0
  let bytes = 0
  for (let window = 0; window < windows; window++) {
    const ids = tokens.slice(window * length, (window + 1) * length)
    if (tokenizer.addsBos && tokenizer.bosId !== null) ids[0] = tokenizer.bosId
    const logprobs = await readLogprobs(model, ids, first, signal)
    for (const [index, logprob] of logprobs.entries()) {
      sum -= logprob
      squares += logprob * logprob
      bytes += tokenizer.bytesOf(ids[first + index + 1]!).length
    }
    count += logprobs.length
    onProgress?.(window + 1, windows)
  }
  const mean = sum / count
  const perplexity = Math.exp(mean)
  const variance = count > 1 ? Math.max(0, squares / count - mean * mean) / (count - 1) : 0
  return {
    perplexity,
    standardError: perplexity * Math.sqrt(variance),
    bitsPerByte: sum / Math.LN2 / bytes,
    scoredTokens: count,
    tokens: tokens.length,
    windows,
  }
}

/** Log-probability of each token after position `from`, in nats: ids.length − from − 1 of them. */
async function readLogprobs(
  { backend }: ReadableModel,
  ids: readonly number[],
  from: number,
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const session = backend.createSession({ contextLength: ids.length })
  const logprobs: number[] = []
  try {
    // The last token says nothing about itself.
    for (let at = 0; at < ids.length - 1; at += backend.maxBatch) {
      // The kernels run in this thread: an interrupt needs a turn of the event loop to be heard.
      await macrotaskYield()()
      signal?.throwIfAborted()
      const batch = ids.slice(at, Math.min(ids.length - 1, at + backend.maxBatch))
      const outputs = Math.min(batch.length, Math.max(0, at + batch.length - from))
      const rows = await session.forward(batch, { outputs })
      for (const row of rows) {
        logprobs.push(row.values()[ids[from + logprobs.length + 1]!]! - row.logSumExp)
      }
    }
  } finally {
    session.dispose()
  }
  return logprobs
}
