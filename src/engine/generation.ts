import type { FollowedLogits, LogitDetail, Logits } from '../backend/backend'
import type { FinishReason, Timings, Usage } from '../contract/engine'
import type { PromptReading, TokenSignal } from '../contract/signals'
import { AnswerText, type AnswerPiece } from './answer-text'
import type { CachedSession } from './cached-session'
import { DraftPolicy, MAX_DRAFT, type StepCosts } from './draft-policy'
import { logitOf, LogprobReader } from './logprobs'
import type { Pacer } from './macrotask'
import type { GenerationSettings } from './params/parse-params'
import { PromptLookup } from './prompt-lookup'
import type { Sampler } from './sampling/sampler'
import type { EngineTokenizer } from './tokenizer-interface'

/** Most tokens evaluated between two looks at the abort signal. */
const PREFILL_CHUNK = 64

export interface GenerationOptions {
  readonly settings: GenerationSettings
  /** Not longer than the context. */
  readonly prompt: Int32Array
  /** First tokens that stay when the context slides. */
  readonly sinkCount: number
  readonly session: CachedSession
  /** Most tokens the backend takes at once. */
  readonly maxBatch: number
  readonly tokenizer: EngineTokenizer
  readonly sampler: Sampler
  readonly stepCosts: StepCosts
  /** Whether no other generation shares the passes now. */
  readonly isAlone: () => boolean
  readonly pacer: Pacer
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
  /** When the request came, on that clock. */
  readonly requestedAt: number
  readonly signal: AbortSignal
  /** Called when the first token is known, before the first piece; with a reading where signals were asked for. */
  readonly onStart: (reading: PromptReading | null) => void
  readonly onPiece: (piece: AnswerPiece) => void
}

export interface GenerationResult {
  readonly finishReason: FinishReason
  readonly usage: Usage
}

/** Runs one request on a session: prefill, then decode until something ends the answer. */
export async function generate(options: GenerationOptions): Promise<GenerationResult> {
  return new Generation(options).run()
}

class Generation {
  readonly #options: GenerationOptions
  readonly #answer: AnswerText
  readonly #logprobs: LogprobReader | null
  readonly #lookup: PromptLookup | null
  readonly #policy: DraftPolicy
  readonly #maxTokens: number
  /** Whether the device goes on by itself, with the likeliest token or one it draws. */
  readonly #follows: boolean
  /** The token sampled last; not yet in the KV cache. */
  #pending = -1
  #finishReason: FinishReason | null = null
  /** Tokens drawn, with the one that ends the answer; `#answered` counts without it. */
  #sampled = 0
  #answered = 0
  #drafted = 0
  #accepted = 0

  constructor(options: GenerationOptions) {
    const { settings, prompt, session, sampler, tokenizer } = options
    this.#options = options
    this.#answer = new AnswerText(tokenizer.createDetokenizer(), settings.stop)
    this.#logprobs = settings.topLogprobs === null ? null : new LogprobReader(tokenizer, settings.topLogprobs)
    this.#policy = new DraftPolicy(options.stepCosts)
    const left = session.contextLength - (settings.overflow === 'slide' ? 0 : prompt.length - 1)
    this.#maxTokens = settings.maxTokens ?? left
    this.#follows = session.canFollow && (sampler.isGreedy || sampler.draws)
    // Drafts need the token that a device which follows does not wait for.
    this.#lookup =
      settings.promptLookup && !this.#follows
        ? new PromptLookup(prompt.length + Math.min(this.#maxTokens, session.contextLength))
        : null
  }

  /** What is to be read of the next step's logits. */
  get #reading(): { detail: LogitDetail; temperature: number | undefined } {
    const { settings, sampler } = this.#options
    const detail = sampler.isGreedy && (settings.topLogprobs ?? 0) > 0 ? 'top' : sampler.detail
    return { detail, temperature: sampler.sumTemperature }
  }

  async run(): Promise<GenerationResult> {
    const { settings, prompt, session, sampler, now, requestedAt } = this.#options
    const cachedTokens = session.rewindTo(prompt)
    const startedAt = now()
    sampler.acceptPrompt(prompt)
    const logits = await this.#prefill(cachedTokens)
    const prefilledAt = now()
    const reading = settings.signals ? { hidden: logits.hidden(), tokens: prompt.length } : null
    if (this.#lookup) for (const token of prompt) this.#lookup.push(token)
    if (this.#advance(logits) === null) await this.#advanceWhole(prompt.at(-1)!)
    const firstTokenAt = now()
    this.#options.onStart(reading)
    this.#emit(this.#answer.take())
    await this.#decode()
    this.#emit(this.#answer.finish())
    const finishReason = this.#finishReason ?? 'length'

    const prefillMs = prefilledAt - startedAt
    const decodeMs = now() - firstTokenAt
    const timings: Timings = {
      timeToFirstTokenMs: firstTokenAt - requestedAt,
      prefillMs,
      decodeMs,
      prefillTokensPerSecond: perSecond(prompt.length - cachedTokens, prefillMs),
      decodeTokensPerSecond: perSecond(this.#sampled - 1, decodeMs),
      draftedTokens: this.#drafted,
      acceptedTokens: this.#accepted,
    }
    const usage: Usage = {
      prompt_tokens: prompt.length,
      completion_tokens: this.#answered,
      total_tokens: prompt.length + this.#answered,
      prompt_tokens_details: { cached_tokens: cachedTokens },
      minnow: timings,
    }
    return { finishReason, usage }
  }

  /** Evaluates the prompt from `start` on; gives the logits of its last token. */
  async #prefill(start: number): Promise<Logits> {
    const { settings, prompt, session, maxBatch, signal } = this.#options
    const chunk = Math.min(PREFILL_CHUNK, maxBatch)
    for (let from = start; ; from += chunk) {
      const to = Math.min(from + chunk, prompt.length)
      const isLast = to === prompt.length
      const [logits] = await session.forward(prompt.subarray(from, to), {
        ...this.#reading,
        outputs: isLast ? 1 : 0,
        ...(settings.signals && { detail: 'all' }),
      })
      await this.#breathe()
      signal.throwIfAborted()
      if (isLast) return logits!
    }
  }

  #decode(): Promise<void> {
    return this.#follows ? this.#decodeAhead() : this.#decodeStepwise()
  }

  /**
   * Two steps under way: while one's result is read here, the device computes the next. It draws in single precision:
   * where the sampler, which has the last word, draws another token, the step behind it is taken back.
   */
  async #decodeAhead(): Promise<void> {
    const { session, signal, sampler } = this.#options
    const first = new Int32Array(1)
    let ahead: Promise<FollowedLogits> | null = null
    try {
      while (this.#finishReason === null) {
        if (ahead === null && session.length >= session.contextLength && !this.#slide()) return
        const length = session.length + 1
        first[0] = this.#pending
        const followed = ahead
        const current: Promise<Logits & { token?: number }> =
          followed ?? session.forward(first, { outputs: 1, ...this.#reading }).then(([logits]) => logits!)
        const hasRoom = length < session.contextLength && this.#answered + 1 < this.#maxTokens
        // A device that took a lost one's place may not follow any more.
        ahead = hasRoom && session.canFollow ? session.follow({ ...this.#reading, draw: sampler.draw }) : null
        const logits = await current
        signal.throwIfAborted()
        if (followed !== null && logits.token !== this.#pending) {
          await ahead
          ahead = null
          session.truncate(session.length)
          continue
        }
        if (followed !== null) session.followed(this.#pending)
        if (this.#advance(logits) === null) {
          await ahead
          ahead = null
          await this.#advanceWhole(this.#pending)
        }
        this.#emit(this.#answer.take())
        if (this.#finishReason === null) await this.#breathe()
      }
    } finally {
      await ahead?.catch(() => undefined)
      // What a step that nobody waits for any more has added.
      if (!session.broken) session.truncate(session.length)
    }
  }

  async #decodeStepwise(): Promise<void> {
    const { session, stepCosts, now, isAlone } = this.#options
    const batch = new Int32Array(MAX_DRAFT + 1)
    // One view for each number of tokens, made once instead of once a step.
    const batches = Array.from(batch, (_, index) => batch.subarray(0, index + 1))
    while (this.#finishReason === null) {
      if (session.length >= session.contextLength && !this.#slide()) return
      batch[0] = this.#pending
      const found = this.#lookup?.find() ?? null
      const match = found !== null && found.position >= 0 ? found : null
      const expected = match === null ? -1 : this.#lookup!.expected(match)
      // Beside others a pass has its work already.
      const alone = isAlone()
      const drafted = match === null || !alone ? 0 : this.#policy.draftLength(match, this.#draftRoom())
      if (drafted > 0) this.#lookup!.draft(match!, drafted, batch, 1)
      this.#drafted += drafted

      const start = session.length
      const startedAt = now()
      const logits = await session.forward(batches[drafted]!, {
        outputs: drafted + 1,
        ...this.#reading,
      })
      if (alone) stepCosts.observe(drafted + 1, now() - startedAt)
      this.#options.signal.throwIfAborted()

      let agreed = 0
      for (let i = 0; i <= drafted; i++) {
        const token = this.#advance(logits[i]!) ?? (await this.#advanceWhole(batch[i]!))
        const foretold = i < drafted ? batch[i + 1]! : i === 0 ? expected : -1
        if (foretold >= 0) this.#policy.observe(match!, i, token === foretold)
        if (i === drafted || token !== foretold) break
        agreed++
        if (this.#finishReason !== null) break
      }
      this.#accepted += agreed
      session.truncate(start + 1 + agreed)
      this.#emit(this.#answer.take())
      if (this.#finishReason === null) await this.#breathe()
    }
  }

  /** Computes `last`, the newest token, again for its whole row: the likeliest tokens did not tell the next one. */
  async #advanceWhole(last: number): Promise<number> {
    const { session, signal } = this.#options
    session.truncate(session.length - 1)
    const [logits] = await session.forward([last], { outputs: 1, detail: 'all' })
    signal.throwIfAborted()
    return this.#advance(logits!)!
  }

  /** Chooses the next token from its logits and adds it to the answer; null where they do not tell it. */
  #advance(logits: Logits): number | null {
    const { sampler, tokenizer } = this.#options
    const token = sampler.sample(logits)
    if (token === null) return null
    this.#sampled++
    if (tokenizer.endOfGeneration.has(token)) {
      this.#finishReason = 'stop'
      return token
    }
    this.#pending = token
    this.#answered++
    sampler.accept(token)
    this.#lookup?.push(token)
    const logprob = this.#logprobs?.read(logits, token) ?? null
    const signal = this.#options.settings.signals ? readSignal(logits, token) : null
    if (this.#answer.push(token, { logprob, signal })) this.#finishReason = 'stop'
    else if (this.#answered >= this.#maxTokens) this.#finishReason = 'length'
    return token
  }

  /** How many tokens may be drafted: within the batch, the context (so that it slides where it would without) and the answer. */
  #draftRoom(): number {
    const { session, maxBatch } = this.#options
    return Math.min(maxBatch, session.contextLength - session.length, this.#maxTokens - this.#answered) - 1
  }

  /** Makes room in a full context; false where the answer ends instead. */
  #slide(): boolean {
    const { settings, session, sinkCount } = this.#options
    if (settings.overflow !== 'slide') {
      this.#finishReason = 'length'
      return false
    }
    const dropped = Math.max(1, (session.contextLength - sinkCount) >>> 2)
    session.slide(sinkCount, sinkCount + dropped)
    return true
  }

  #emit(piece: AnswerPiece | null): void {
    if (piece !== null) this.#options.onPiece(piece)
  }

  async #breathe(): Promise<void> {
    await this.#options.pacer.breathe()
    this.#options.signal.throwIfAborted()
  }
}

/** How sure the model was of a token, whatever the sampler made of its logits. */
function readSignal(logits: Logits, token: number): TokenSignal {
  const { logSumExp, margin, entropy } = logits
  // Rounding may put a certain token a hair above probability 1.
  return { logprob: Math.min(0, logitOf(logits, token) - logSumExp), margin, entropy }
}

function perSecond(count: number, durationMs: number): number {
  return count > 0 && durationMs > 0 ? (count * 1000) / durationMs : 0
}
