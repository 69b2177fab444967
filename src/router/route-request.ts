import type { ChatCompletionChunk, FinishReason, Usage } from '../contract/engine'
import { EngineError, isEngineError } from '../contract/error'
import type { AnswerSource, DecisionStage, RouteReason } from '../contract/route'
import { AnswerWriter } from './answer-writer'
import { plainMessage, usesTools } from './facts'
import { judge, type Judgement } from './judge'
import { settledOf } from './ledger'
import { openDraft, type LocalDraft } from './local-draft'
import { notSentError, whyStopped } from './not-sent'
import { planOf, type Plan } from './plan'
import type { WaitingQuestion } from './queues'
import { openHop } from './remote-hop'
import { decide, standing, type RouteRun } from './route-run'
import { settle } from './settle'
import { verdictOf, verifyParams } from './verify'

type Chunks<T> = AsyncGenerator<ChatCompletionChunk, T>

/** Tokens between two looks at an answer that is being shown. */
const LOOK_EVERY = 32

/**
 * One request, from the hard rules to the ledger. An answer is one engine's text: a remote's answer either comes before
 * anything is shown, or 'upgrading' says that it replaces all of it.
 */
export class RouteRequest {
  readonly #run: RouteRun
  readonly #writer: AnswerWriter
  #plan!: Plan
  #draft: LocalDraft | null = null
  #usage: Usage | null = null
  /** Why more than the local answer was wanted and not had. */
  #blocked: RouteReason | null = null
  #failure: unknown = null
  #askedToWait = false

  constructor(run: RouteRun) {
    this.#run = run
    this.#writer = new AnswerWriter(run)
  }

  async *chunks(): Chunks<void> {
    const { entry, parts } = this.#run
    entry.outcome = 'aborted' // until it ends: a reader that leaves early reaches only the finally
    try {
      this.#plan = planOf(this.#run)
      const source = yield* this.#answer()
      entry.outcome = 'answered'
      await settle(this.#run, source, {
        text: this.text,
        completionTokens: this.#usage?.completion_tokens ?? 0,
      })
      if (this.#run.params.stream_options?.include_usage === true)
        yield this.#writer.bare({ usage: this.#usage })
      const settled = settledOf(entry)
      if (settled !== null) yield this.#writer.event(settled)
    } catch (error) {
      const aborted = this.#run.signal.aborted
      entry.outcome = aborted ? 'aborted' : 'failed'
      entry.errorCode = isEngineError(error) ? error.code : aborted ? 'aborted' : 'internal'
      throw error
    } finally {
      await this.#draft?.cancel()
      this.#draft?.account(entry.source === null)
      // Also where the reader left before the remote was asked.
      delete entry.cost.heldUsd
      entry.latencyMs.total = parts.now() - entry.at
      // What cannot be written down takes no answer from the user.
      await parts.ledger.put(entry).catch(() => undefined)
    }
  }

  /** The answer that is on the screen in the end. */
  get text(): string {
    return this.#writer.shown
  }

  async *#answer(): Chunks<AnswerSource> {
    if (this.#plan.first === 'remote') {
      const remote = yield* this.#askRemote('rules')
      if (remote !== null) return remote
      if (!this.#plan.local) throw this.#error()
    }
    try {
      return yield* this.#answerLocally()
    } catch (error) {
      const { signal } = this.#run
      if (
        signal.aborted ||
        this.#plan.first === 'remote' ||
        !this.#mayAsk() ||
        isEngineError(error, 'forbidden')
      )
        throw error
      const reason = isEngineError(error, 'context-overflow') ? 'context' : 'local-failed'
      decide(this.#run, { action: 'escalate', stage: 'rules', reason })
      const remote = yield* this.#askRemote('rules')
      if (remote === null) throw error
      return remote
    }
  }

  #mayAsk(): boolean {
    return this.#plan.remote && this.#blocked === null
  }

  async *#answerLocally(): Chunks<AnswerSource> {
    const run = this.#run
    const { holdBackTokens } = run.parts.policy()
    const draft = await openDraft(run)
    this.#draft = draft
    const held: ChatCompletionChunk[] = []
    let ending: ChatCompletionChunk | null = null
    let isHolding = this.#mayAsk() && run.parts.isOnline() && holdBackTokens > 0
    let isPromptJudged = false
    let lookAt = holdBackTokens + LOOK_EVERY

    for (let chunk = await draft.next(); chunk !== null; chunk = await draft.next()) {
      if (!isPromptJudged && draft.reading !== null && this.#mayAsk()) {
        isPromptJudged = true
        const remote = yield* this.#escalateIfPoor('before', judge(run, draft, 'before'))
        if (remote !== null) return remote
      }
      if (finishOf(chunk) !== null) {
        ending = chunk
        continue
      }
      if (isHolding) {
        held.push(chunk)
        if (draft.length < holdBackTokens) continue
        isHolding = false
        const remote = yield* this.#escalateIfPoor('first-tokens', judge(run, draft, 'first-tokens'))
        if (remote !== null) return remote
        for (const each of held.splice(0)) yield this.#writer.show(each)
        continue
      }
      yield this.#writer.show(chunk)
      if (draft.length >= lookAt) {
        lookAt += LOOK_EVERY
        const judgement = judge(run, draft, 'during')
        // The calibration speaks of first tokens and of whole answers; in between only faults count.
        if (judgement.reason === 'repetition' || judgement.reason === 'broken-json') {
          const remote = yield* this.#escalateIfPoor('during', judgement)
          if (remote !== null) return remote
        }
      }
    }

    const judgement = judge(run, draft, 'after')
    run.entry.confidence = judgement.confidence
    const decided = yield* this.#decideAfter(draft, judgement)
    if (this.#writer.isEnded) return decided
    for (const each of held) yield this.#writer.show(each)
    if (ending !== null) yield this.#writer.shape(ending)
    draft.account(false)
    this.#usage ??= draft.usage
    return decided
  }

  /** The whole answer is there: accept it, have it checked, or ask for another. */
  async *#decideAfter(draft: LocalDraft, judgement: Judgement): Chunks<AnswerSource> {
    const run = this.#run
    const { accept, reason, confidence, threshold } = judgement
    const { verifyFrom } = run.settings
    const model = run.parts.local.info.model
    const local = (kind: 'local' | 'unverified', why: RouteReason): AnswerSource => {
      decide(run, { action: 'local', stage: 'after', reason: why, confidence, threshold })
      return { kind, model, verifiedBy: null }
    }
    if (this.#plan.first === 'remote') return local('unverified', this.#blocked ?? 'remote-failed')
    if (accept) return local('local', reason)
    if (!this.#mayAsk()) return local('unverified', this.#blocked ?? this.#plan.decision.reason)

    let why = reason
    if (reason === 'unsure' && verifyFrom !== null && confidence !== null && confidence >= verifyFrom) {
      decide(run, { action: 'verify', stage: 'after', reason, confidence, threshold })
      const { verdict, by } = yield* this.#verify(draft.text)
      if (verdict === true) {
        decide(run, { action: 'local', stage: 'after', reason: 'confirmed', confidence, threshold })
        return { kind: 'verified', model, verifiedBy: by }
      }
      if (verdict === false) why = 'refuted'
      if (this.#blocked !== null) return local('unverified', this.#blocked)
    }
    decide(run, { action: 'escalate', stage: 'after', reason: why, confidence, threshold })
    const remote = yield* this.#askRemote('after')
    return remote ?? local('unverified', this.#blocked ?? 'remote-failed')
  }

  async *#escalateIfPoor(
    stage: 'before' | 'first-tokens' | 'during',
    judgement: Judgement,
  ): Chunks<AnswerSource | null> {
    const { accept, reason, confidence, threshold } = judgement
    // Without a network the local answer is shown first; whether the question should wait is asked at its end.
    if (accept || !this.#mayAsk() || !this.#run.parts.isOnline()) return null
    this.#run.entry.confidence = confidence
    decide(this.#run, { action: 'escalate', stage, reason, confidence, threshold })
    return yield* this.#askRemote(stage)
  }

  /**
   * Asks for a whole answer. null: there is none, `#blocked` says why, and the local answer goes on (or begins): if the
   * remote broke off after it had replaced the local one, that is brought back here.
   */
  async *#askRemote(stage: DecisionStage): Chunks<AnswerSource | null> {
    const run = this.#run
    const hop = await openHop(run, 'answer', run.params)
    if ('denied' in hop) {
      await this.#deny(hop.denied, stage, hop.cause)
      return null
    }
    if (!hop.cached) yield this.#writer.event({ type: 'asking', purpose: 'answer', model: hop.model })
    const decision = standing(run)
    let isReplaced = false
    let model = hop.model
    let finish: FinishReason = 'stop'
    try {
      for await (const { text, chunk } of hop.parts) {
        model = chunk?.model ?? model
        this.#usage = chunk?.usage ?? this.#usage
        finish = finishOf(chunk) ?? finish
        const calls = chunk?.choices[0]?.delta.tool_calls
        if (text === '' && calls === undefined) continue
        if (!isReplaced) {
          isReplaced = true
          // Only now: until the remote's first word the local answer could still be wanted.
          await this.#draft?.cancel()
          if (this.#writer.shown !== '') {
            this.#writer.drop()
            yield this.#writer.event({ type: 'upgrading', model, decision })
          }
        }
        yield this.#writer.showText(text, model, calls)
      }
      if (!isReplaced)
        throw new EngineError('invalid-response', `The remote '${model}' gave an empty answer.`)
    } catch (error) {
      if (run.signal.aborted) throw error
      this.#remoteFailed(error)
      decide(run, { action: 'local', stage, reason: whyStopped(error) })
      if (isReplaced && this.#plan.local) return yield* this.#restore()
      if (isReplaced) throw error
      return null
    }
    this.#draft?.account(true)
    yield this.#writer.end(model, finish)
    return { kind: hop.cached ? 'cache' : 'remote', model, verifiedBy: null }
  }

  /** Brings the local answer back: the draft, if it was whole, else a new one, as the old one was stopped. */
  async *#restore(): Chunks<AnswerSource> {
    const run = this.#run
    const model = run.parts.local.info.model
    this.#writer.drop()
    yield this.#writer.event({ type: 'restoring', model })
    const old = this.#draft
    if (old !== null && old.finish !== null) {
      yield this.#writer.showText(old.text, model)
      yield this.#writer.end(model, old.finish)
      old.account(false)
      this.#usage = old.usage
    } else {
      old?.account(true)
      const draft = await openDraft(run)
      this.#draft = draft
      for (let chunk = await draft.next(); chunk !== null; chunk = await draft.next())
        yield this.#writer.show(chunk)
      this.#writer.markEnded()
      draft.account(false)
      this.#usage = draft.usage
    }
    return { kind: 'unverified', model, verifiedBy: null }
  }

  /** One word of the remote on the local answer; null where there was none. */
  async *#verify(answer: string): Chunks<{ verdict: boolean | null; by: string }> {
    const run = this.#run
    const fence = `<<${crypto.randomUUID()}>>`
    const hop = await openHop(run, 'verify', verifyParams(run.params.messages, answer, fence))
    if ('denied' in hop) {
      await this.#deny(hop.denied, 'after', hop.cause)
      return { verdict: null, by: '' }
    }
    yield this.#writer.event({ type: 'asking', purpose: 'verify', model: hop.model })
    let word = ''
    let by = hop.model
    try {
      for await (const { text, chunk } of hop.parts) {
        by = chunk?.model ?? by
        word += text
      }
    } catch (error) {
      if (run.signal.aborted) throw error
      this.#remoteFailed(error)
    }
    return { verdict: verdictOf(word), by }
  }

  #remoteFailed(error: unknown): void {
    this.#failure = error
    this.#blocked = whyStopped(error)
    this.#run.entry.errorCode = isEngineError(error) ? error.code : 'internal'
  }

  async #deny(reason: RouteReason, stage: DecisionStage, cause: unknown): Promise<void> {
    const run = this.#run
    this.#blocked = reason
    this.#failure = cause ?? null
    if (reason === 'remote-failed') run.entry.errorCode = isEngineError(cause) ? cause.code : 'internal'
    if (reason === 'personal-data' && run.settings.personalData.action === 'block') {
      decide(run, { action: 'local', stage, reason })
      throw this.#error()
    }
    const waits = reason === 'offline' && (await this.#offerToWait())
    decide(run, { action: waits ? 'queue' : 'local', stage, reason })
  }

  async #offerToWait(): Promise<boolean> {
    const { parts, entry, request } = this.#run
    // What waits is kept as text.
    const isText = this.#run.params.messages.every(({ content }) => typeof content === 'string')
    if (this.#askedToWait || !isText || usesTools(this.#run.params)) return false
    this.#askedToWait = true
    const {
      messages,
      minnow: _minnow,
      stream: _stream,
      stream_options: _options,
      ...params
    } = this.#run.params
    const question: WaitingQuestion = {
      id: entry.id,
      at: entry.at,
      user: entry.user,
      scope: entry.scope,
      messages: messages.flatMap((message) => {
        const { role, content } = plainMessage(message)
        return role === 'tool' ? [] : [{ role, content }]
      }),
      route: request,
      params,
    }
    if (!(await parts.askToWait(question))) return false
    // What cannot be kept does not wait, and the local answer stays.
    return parts.waiting.put(question).then(
      () => true,
      () => false,
    )
  }

  /** Why nobody answered, for the caller. */
  #error(): unknown {
    const reason = this.#blocked ?? 'remote-failed'
    return reason === 'remote-failed' ? this.#failure : notSentError(reason, this.#failure)
  }
}

function finishOf(chunk: ChatCompletionChunk | null): FinishReason | null {
  return chunk?.choices[0]?.finish_reason ?? null
}
