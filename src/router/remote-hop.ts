import type { ChatCompletionChunk, ChatCompletionParams } from '../contract/engine'
import { EngineError } from '../contract/error'
import type { OutgoingRequest, RouteReason, SendPurpose } from '../contract/route'
import { cacheKey } from './answer-cache'
import { createBooking } from './booking'
import { checkOutgoing, outgoingOf } from './outgoing'
import { mapTexts, passGate, textsOf, type Outgoing } from './privacy/gate'
import type { Vault } from './privacy/vault'
import { ceilingOf } from './prices'
import type { RouteRun } from './route-run'

/** A part of a remote's answer, personal data put back. */
export interface RemotePart {
  readonly text: string
  readonly chunk: ChatCompletionChunk | null
}

export type Hop =
  | { readonly denied: RouteReason; readonly cause?: unknown }
  | { readonly model: string; readonly cached: boolean; readonly parts: AsyncGenerator<RemotePart, void> }

/**
 * One way out of the device: an answer, a verification or a shadow run. Everything that forbids it is checked here, anew
 * for every hop: the label 'private', the network, personal data, the cache, money, consent. Whatever leaves is
 * looked at once more by `beforeSend` for each attempt.
 */
export async function openHop(
  run: RouteRun,
  purpose: SendPurpose,
  asked: ChatCompletionParams,
): Promise<Hop> {
  const { parts, entry, settings, request, signal } = run
  const { remote } = parts
  if (request.private === true) return { denied: 'private' }
  if (settings.mode === 'only-on-device') return { denied: 'mode' }
  if (remote === null) return { denied: 'no-remote' }
  signal.throwIfAborted()

  // The model named in the request is the local one's or none; a remote knows its own.
  const { model: _model, ...params } = asked
  const scanned = parts.now()
  const passage = await passGate(params, settings.personalData, parts.scanFor(settings.personalData.level))
  entry.latencyMs.scan += parts.now() - scanned
  if ('denied' in passage) return passage
  const { outgoing } = passage
  let requests
  try {
    requests = outgoingOf(remote, outgoing.params)
  } catch (cause) {
    return { denied: 'remote-failed', cause }
  }
  const { lifetimeMs } = parts.policy().cache ?? {}
  const key =
    purpose === 'answer' && lifetimeMs !== undefined
      ? await cacheKey(entry.user, requests, outgoing.params)
      : null
  const found = key === null ? null : await parts.cache.get(key).catch(() => null)
  if (found !== null) {
    const { model, text } = found
    return { model, cached: true, parts: onePart(outgoing.vault.restoreAnswer(text)) }
  }

  if (!parts.isOnline()) return { denied: 'offline' }
  if (purpose !== 'shadow' && (parts.latency.known(parts.now()) ?? 0) > settings.maxLatencyMs)
    return { denied: 'latency' }
  const bytes = textsOf(outgoing.params).reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0)
  const allowance =
    purpose === 'shadow'
      ? { mostTokens: null, release() {} }
      : await parts.budget.reserve({
          entry,
          // Fewer than four bytes a token: rather too much than too little.
          tokensIn: Math.ceil(bytes / 3) + 8 * outgoing.params.messages.length,
          tokensOut: outgoing.params.max_completion_tokens ?? outgoing.params.max_tokens ?? null,
          price: ceilingOf(remote.info, parts.prices),
          requestUsd: settings.maxCostUsd - entry.cost.spentUsd,
          signal,
        })
  if (allowance === null) return { denied: 'budget' }
  try {
    const limited: Streamed = {
      ...withLimit(outgoing.params, allowance.mostTokens),
      stream: true,
      stream_options: { include_usage: true },
    }
    // With the limit in them: what the user is shown is what leaves.
    requests = outgoingOf(remote, limited)
    if (!(await mayLeave(run, purpose, requests, outgoing))) {
      allowance.release()
      return { denied: 'no-consent' }
    }
    const keep =
      key === null || lifetimeMs === undefined
        ? undefined
        : (model: string, text: string) => parts.cache.put(key, entry.user, { model, text }, lifetimeMs)
    return {
      model: remote.info.model,
      cached: false,
      parts: send(
        run,
        purpose,
        { ...outgoing, params: limited, requests },
        { release: allowance.release, keep },
      ),
    }
  } catch (error) {
    allowance.release()
    throw error
  }
}

async function* onePart(text: string): AsyncGenerator<RemotePart, void> {
  yield { text, chunk: null }
}

function withLimit(params: ChatCompletionParams, mostTokens: number | null): ChatCompletionParams {
  if (mostTokens === null || mostTokens === Infinity) return params
  const key = typeof params.max_completion_tokens === 'number' ? 'max_completion_tokens' : 'max_tokens'
  return { ...params, [key]: Math.min(params[key] ?? Infinity, mostTokens) }
}

/** Nobody is asked for a shadow run: it goes where consent is remembered, or not at all. */
async function mayLeave(
  run: RouteRun,
  purpose: SendPurpose,
  requests: readonly OutgoingRequest[],
  { vault }: Outgoing,
): Promise<boolean> {
  const { parts, entry, signal } = run
  const { user, scope } = entry
  if (purpose === 'shadow') return parts.consent.remembered(user, scope, requests).catch(() => false)
  if (run.consented) return true
  const asked = parts.now()
  run.consented = await parts.consent.ask({
    purpose,
    requests,
    text: requests[0]?.body ?? '',
    scope,
    user,
    redacted: vault.replaced,
    signal,
  })
  entry.latencyMs.consent += parts.now() - asked
  signal.throwIfAborted()
  return run.consented
}

type Streamed = ChatCompletionParams & { stream: true }

/** What may leave, and nothing else. */
interface Agreed extends Outgoing {
  readonly params: Streamed
  readonly requests: readonly OutgoingRequest[]
}

/** Personal data put back into what tools are to be called with. */
function withCallsRestored(chunk: ChatCompletionChunk, vault: Vault): ChatCompletionChunk {
  const [choice] = chunk.choices
  if (choice?.delta.tool_calls === undefined) return chunk
  const tool_calls = choice.delta.tool_calls.map((call) => {
    const given = call.function?.arguments
    return given === undefined
      ? call
      : { ...call, function: { ...call.function, arguments: restoreJson(given, vault) } }
  })
  return { ...chunk, choices: [{ ...choice, delta: { ...choice.delta, tool_calls } }] }
}

/** Within strings of JSON a value may need quoting; what is no JSON stays as it came. */
function restoreJson(json: string, vault: Vault): string {
  try {
    return JSON.stringify(mapTexts(JSON.parse(json), (text) => vault.restoreAnswer(text)))
  } catch {
    return json
  }
}

interface SendEnd {
  release(): void
  keep: ((model: string, text: string) => Promise<void>) | undefined
}

/** Sends, and gives the parts of the answer. Ends the reservation and writes down what it cost, however it ends. */
async function* send(
  run: RouteRun,
  purpose: SendPurpose,
  outgoing: Agreed,
  { release, keep }: SendEnd,
): AsyncGenerator<RemotePart, void> {
  const { parts, entry, settings } = run
  const remote = parts.remote!
  const { params, requests, vault, recheck } = outgoing
  const started = parts.now()
  const restorer = vault.createRestorer()
  const booking = createBooking(run, purpose, outgoing)
  const beforeSend = async (request: OutgoingRequest): Promise<void> => {
    run.signal.throwIfAborted()
    checkOutgoing(request, requests)
    await recheck(request)
    booking.sent(request)
    // Kept before it leaves, so that a crash hides nothing that was sent.
    if (booking.requests === 1) await parts.ledger.put(entry).catch(() => undefined)
  }
  // Minnow's remotes show what they send; of others the parameters are all there is to record.
  const { backend, model } = remote.info
  if (backend !== 'remote') booking.sent({ url: model, model, body: JSON.stringify(params) })

  const tooSlow = new AbortController()
  const timer =
    settings.maxLatencyMs === Infinity || purpose === 'shadow'
      ? undefined
      : setTimeout(
          () =>
            tooSlow.abort(
              new EngineError(
                'timeout',
                `The remote gave no text within ${settings.maxLatencyMs} ms, the ceiling of this request.`,
              ),
            ),
          Math.min(settings.maxLatencyMs, 2 ** 31 - 1),
        )
  let finished = false
  let isText = true
  try {
    const chunks = await remote.chat.completions.create(params, {
      signal: AbortSignal.any([run.signal, tooSlow.signal]),
      beforeSend,
      onFailure: (error) => booking.failed(error),
    })
    for await (const chunk of chunks) {
      const isSilent = booking.text === ''
      booking.read(chunk)
      if (isSilent && booking.text !== '') {
        clearTimeout(timer)
        if (purpose === 'answer') parts.latency.note(parts.now() - started, parts.now())
      }
      const choice = chunk.choices[0]
      const text =
        restorer.push(choice?.delta.content ?? '') + (choice?.finish_reason ? restorer.flush() : '')
      if (choice?.finish_reason === 'stop') finished = true
      if (choice?.delta.tool_calls !== undefined) isText = false
      yield { text, chunk: withCallsRestored(chunk, vault) }
    }
    const rest = restorer.flush()
    if (rest !== '') yield { text: rest, chunk: null }
    if (finished && isText && booking.text !== '')
      await keep?.(booking.model, booking.text).catch(() => undefined)
  } catch (error) {
    if (booking.text === '') booking.failed(error)
    throw error
  } finally {
    clearTimeout(timer)
    booking.close()
    entry.latencyMs.remote += purpose === 'shadow' ? 0 : parts.now() - started
    // Both at once in the ledger: what was set aside is free, and what was spent is spent.
    release()
    await parts.ledger.put(entry).catch(() => undefined)
  }
}
