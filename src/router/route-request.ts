import type { ChatCompletionChunk, FinishReason, Usage } from '../contract/engine'
import { EngineError, isEngineError } from '../contract/error'
import type { AnswerSource, DecisionStage, RouteDecision, RouteEvent, RouteReason } from '../contract/route'
import { judge, type Judgement } from './judge'
import { costOf, settledOf } from './ledger'
import { openDraft, type LocalDraft } from './local-draft'
import { planOf, type Plan } from './plan'
import { openHop } from './remote-hop'
import { decide, priceFor, type RouteRun } from './route-run'
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
  readonly #id: string
  readonly #created: number
  #plan!: Plan
  #draft: LocalDraft | null = null
  /** The text on the screen. */
  #shown = ''
  #usage: Usage | null = null
  /** Why more than the local answer was wanted and not had. */
  #blocked: RouteReason | null = null
  #failure: unknown = null
  #askedToWait = false
  #hasRole = false
  /** The chunk that ends the answer was given. */
  #isEnded = false

  constructor(run: RouteRun) {
    this.#run = run
    this.#id = run.entry.id
    this.#created = Math.floor(run.entry.at / 1000)
  }

  async *chunks(): Chunks<void> {
    const { entry, parts } = this.#run
    entry.outcome = 'aborted' // until it ends: a reader that leaves early reaches only the finally
    try {
      this.#plan = planOf(this.#run)
      const source = yield* this.#answer()
      entry.outcome = 'answered'
      await this.#settle(source)
      if (this.#run.params.stream_options?.include_usage === true) {
        yield { ...this.#chunk({}), choices: [], usage: this.#usage }
      }
      const settled = settledOf(entry)
      if (settled !== null) yield this.#event(settled)
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
    return this.#shown
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
        for (const each of held.splice(0)) yield this.#show(each)
        continue
      }
      yield this.#show(chunk)
      if (draft.length >= lookAt) {
        lookAt += LOOK_EVERY
        const judgement = judge(run, draft, 'during')
        // The calibration speaks of first tokens and of whole answers; in between only faults count.
        if (judgement.reason === 'repetition') {
          const remote = yield* this.#escalateIfPoor('during', judgement)
          if (remote !== null) return remote
        }
      }
    }

    const judgement = judge(run, draft, 'after')
    run.entry.confidence = judgement.confidence
    const decided = yield* this.#decideAfter(draft, judgement)
    if (this.#isEnded) return decided
    for (const each of held) yield this.#show(each)
    if (ending !== null) yield this.#shape(ending)
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
    if (!hop.cached) yield this.#event({ type: 'asking', purpose: 'answer', model: hop.model })
    const decision = this.#decision()
    let isReplaced = false
    let model = hop.model
    let finish: FinishReason = 'stop'
    try {
      for await (const { text, chunk } of hop.parts) {
        model = chunk?.model ?? model
        this.#usage = chunk?.usage ?? this.#usage
        finish = finishOf(chunk) ?? finish
        if (text === '') continue
        if (!isReplaced) {
          isReplaced = true
          // Only now: until the remote's first word the local answer could still be wanted.
          await this.#draft?.cancel()
          if (this.#shown !== '') {
            this.#shown = ''
            yield this.#event({ type: 'upgrading', model, decision })
          }
        }
        yield this.#show({ ...this.#chunk({ content: text }), model })
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
    yield this.#end(model, finish)
    return { kind: hop.cached ? 'cache' : 'remote', model, verifiedBy: null }
  }

  /** Brings the local answer back: the draft, if it was whole, else a new one, as the old one was stopped. */
  async *#restore(): Chunks<AnswerSource> {
    const run = this.#run
    const model = run.parts.local.info.model
    this.#shown = ''
    yield this.#event({ type: 'restoring', model })
    const old = this.#draft
    if (old !== null && old.finish !== null) {
      yield this.#show({ ...this.#chunk({ content: old.text }), model })
      yield this.#end(model, old.finish)
      old.account(false)
      this.#usage = old.usage
    } else {
      old?.account(true)
      const draft = await openDraft(run)
      this.#draft = draft
      for (let chunk = await draft.next(); chunk !== null; chunk = await draft.next()) yield this.#show(chunk)
      this.#isEnded = true
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
    yield this.#event({ type: 'asking', purpose: 'verify', model: hop.model })
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
    if (reason === 'personal-data' && run.settings.personalData.action === 'block') {
      decide(run, { action: 'local', stage, reason })
      throw this.#error()
    }
    const waits = reason === 'offline' && (await this.#offerToWait())
    decide(run, { action: waits ? 'queue' : 'local', stage, reason })
  }

  async #offerToWait(): Promise<boolean> {
    if (this.#askedToWait) return false
    this.#askedToWait = true
    const { parts, entry, params } = this.#run
    const question = {
      id: entry.id,
      at: entry.at,
      user: entry.user,
      scope: entry.scope,
      messages: params.messages.map(({ role, content }) => ({ role, content })),
    }
    if (!(await parts.askToWait(question))) return false
    await parts.waiting.put(question)
    return true
  }

  /** Why nobody answered, for the caller. */
  #error(): unknown {
    const reason = this.#blocked ?? 'remote-failed'
    if (reason === 'remote-failed') return this.#failure
    const words: Partial<Record<RouteReason, string>> = {
      'no-remote': 'no remote is configured. Pass one, or choose another mode',
      'no-consent': 'the user did not agree to send it',
      'scan-failed': 'the scan for personal data failed, so nothing was sent',
      'personal-data': 'it holds personal data, which the policy keeps on the device',
      budget: 'the money set aside is spent, or a ceiling is set and no price is known',
      latency: 'the remote is slower than the ceiling of this request',
      private: 'it is labelled private',
    }
    return new EngineError(
      reason === 'offline' ? 'offline' : 'forbidden',
      reason === 'offline'
        ? 'There is no network, and only a remote may answer this request.'
        : `The request was not sent: ${words[reason] ?? reason}.`,
      { details: { reason }, cause: this.#failure },
    )
  }

  async #settle(source: AnswerSource): Promise<void> {
    const run = this.#run
    const { entry, parts, settings } = run
    entry.source = source
    const price = entry.price ?? priceFor(run)
    entry.cost.priced = price !== null
    if (price !== null && source.kind !== 'remote') {
      const { localOut, localIn } = entry.tokens
      const always = costOf(
        price,
        localIn || run.facts.promptTokens,
        localOut || (this.#usage?.completion_tokens ?? 0),
      )
      entry.cost.savedUsd = Math.max(0, always - entry.cost.spentUsd)
    }
    const decision = this.#decision()
    if (settings.human === 'always' || (settings.human === 'unresolved' && source.kind === 'unverified')) {
      const item = {
        id: entry.id,
        at: parts.now(),
        user: entry.user,
        scope: entry.scope,
        messages: run.params.messages.map(({ role, content }) => ({ role, content })),
        answer: this.#shown,
        confidence: entry.confidence,
        reason: decision.reason,
      }
      entry.human = true
      decide(run, {
        action: 'human',
        stage: 'after',
        reason: decision.reason,
        confidence: decision.confidence,
        threshold: decision.threshold,
      })
      await parts.people.put(item).catch(() => undefined)
      parts.onHuman(item)
    }
    entry.latencyMs.total = parts.now() - entry.at
    await parts.ledger.put(entry).catch(() => undefined)
  }

  /** The one that stands. */
  #decision(): RouteDecision {
    return this.#run.entry.decisions.at(-1) as RouteDecision
  }

  #end(model: string, finish: FinishReason): ChatCompletionChunk {
    this.#isEnded = true
    return {
      ...this.#chunk({}),
      model,
      choices: [{ index: 0, delta: {}, finish_reason: finish, logprobs: null }],
    }
  }

  #chunk(delta: { content?: string }): ChatCompletionChunk {
    return {
      id: this.#id,
      object: 'chat.completion.chunk',
      created: this.#created,
      model: this.#run.parts.local.info.model,
      choices: [{ index: 0, delta, finish_reason: null, logprobs: null }],
    }
  }

  #event(route: RouteEvent): ChatCompletionChunk {
    return { ...this.#chunk({}), choices: [], minnow: { route } }
  }

  #show(chunk: ChatCompletionChunk): ChatCompletionChunk {
    const [choice, ...others] = chunk.choices
    const text = choice?.delta.content ?? ''
    const { entry, parts } = this.#run
    if (text !== '') entry.latencyMs.firstText ??= parts.now() - entry.at
    this.#shown += text
    if (choice === undefined || this.#hasRole) return this.#shape(chunk)
    this.#hasRole = true
    return this.#shape({
      ...chunk,
      choices: [{ ...choice, delta: { role: 'assistant', ...choice.delta } }, ...others],
    })
  }

  /** An engine's chunk as one of ours: readings the caller did not ask for are left out, usage comes at the end. */
  #shape({ choices, model, minnow }: ChatCompletionChunk): ChatCompletionChunk {
    const kept = { ...minnow }
    if (this.#run.params.minnow?.signals !== true) {
      delete kept.signals
      delete kept.promptSignals
    }
    return {
      ...this.#chunk({}),
      model,
      choices,
      ...(Object.keys(kept).length === 0 ? {} : { minnow: kept }),
    }
  }
}

function finishOf(chunk: ChatCompletionChunk | null): FinishReason | null {
  return chunk?.choices[0]?.finish_reason ?? null
}

/** Our own last look at a request stops it with a reason; everything else is the remote's failure. */
function whyStopped(error: unknown): RouteReason {
  if (!isEngineError(error, 'forbidden')) return 'remote-failed'
  return error.details['reason'] === 'scan-failed' ? 'scan-failed' : 'personal-data'
}
