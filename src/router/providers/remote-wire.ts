import type { OutgoingRequest } from '../../contract/route'
import type { AnswerPart } from './answer-part'
import { Deadline, raceSignal } from './deadline'
import { Failures } from './failure'
import { parseJson } from './json'
import { checkStatus, readAnswer } from './read-answer'
import { readText } from './read-events'
import { isHeaderValue, isSecretHeader, shownUrl, type RemoteSettings } from './remote-options'
import { scrubAnswer } from './scrub-answer'
import { Secrets } from './secrets'

type Phase = 'connect' | 'firstToken' | 'betweenTokens'

const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  connect: 'to begin its response',
  firstToken: 'for the first token',
  betweenTokens: 'for the next token',
}

/** Sends single requests to one remote and reads what comes back; holds its keys. */
export class RemoteWire {
  readonly failures: Failures
  readonly #settings: RemoteSettings
  readonly #secrets = new Secrets()

  constructor(settings: RemoteSettings) {
    this.#settings = settings
    this.failures = new Failures(settings.name, this.#secrets)
    if (typeof settings.apiKey === 'string') this.#secrets.add(settings.apiKey)
    for (const [name, value] of Object.entries(settings.headers)) {
      if (!isSecretHeader(name)) continue
      this.#secrets.add(value)
      // Without 'Bearer' and the like.
      this.#secrets.add(value.slice(value.lastIndexOf(' ') + 1))
    }
    // Azure and Google take keys in the query; other things stand there, too.
    for (const [name, value] of settings.chatUrl.searchParams)
      this.#secrets.add(value, { inAnswers: isSecretHeader(name) })
  }

  /**
   * One request and its answer. Time is measured only while the reader waits: a slow reader is not the remote's fault.
   * Rejects with what `beforeSend` throws.
   */
  async *answer(
    body: string,
    parent: AbortSignal,
    beforeSend: (outgoing: OutgoingRequest) => Promise<void>,
  ): AsyncGenerator<AnswerPart, void> {
    const { timeouts, limits, chatUrl, model } = this.#settings
    const deadline = this.#deadline(parent)
    const { signal } = deadline
    try {
      deadline.start('connect', timeouts.connectMs)
      const headers = await this.#headers(signal)
      deadline.pause()
      await raceSignal(beforeSend({ url: shownUrl(chatUrl), model, body }), signal)
      const sentAt = performance.now()
      if (timeouts.connectMs < timeouts.firstTokenMs) deadline.start('connect', timeouts.connectMs)
      else deadline.start('firstToken', timeouts.firstTokenMs)
      const response = await this.#fetch(chatUrl, { method: 'POST', headers, body, signal })
      deadline.start('firstToken', Math.max(0, timeouts.firstTokenMs - (performance.now() - sentAt)))
      const parts = readAnswer(response, limits, this.failures, signal)
      for await (const part of scrubAnswer(parts, this.#secrets)) {
        // Only tokens are a sign of life: comments and empty parts can go on for ever.
        const isProgress = part.content !== '' || part.thinks || part.finishReason !== null
        if (isProgress) deadline.pause()
        yield part
        if (isProgress) deadline.start('betweenTokens', timeouts.betweenTokensMs)
      }
    } finally {
      // Ends the transfer where the reader left before its end.
      deadline.abort(this.failures.make('aborted', 'is no longer listened to.'))
    }
  }

  /** The provider's list of models, as JSON. */
  async modelList(parent: AbortSignal): Promise<unknown> {
    const { timeouts, limits, modelsUrl } = this.#settings
    const deadline = this.#deadline(parent)
    const { signal } = deadline
    try {
      deadline.start('connect', timeouts.connectMs)
      const headers = await this.#headers(signal)
      const response = await this.#fetch(modelsUrl, { method: 'GET', headers, signal })
      await checkStatus(response, this.failures, signal)
      return parseJson(await readText(response.body, limits.answerBytes, this.failures, signal))
    } finally {
      deadline.abort(this.failures.make('aborted', 'is no longer listened to.'))
    }
  }

  #deadline(parent: AbortSignal): Deadline<Phase> {
    return new Deadline<Phase>([parent], (phase, limitMs) =>
      this.failures.make(
        'timeout',
        `took more than ${Math.round(limitMs)} ms ${PHASE_WORDS[phase]}. Try again, or allow more time.`,
        { phase },
      ),
    )
  }

  async #headers(signal: AbortSignal): Promise<Record<string, string>> {
    const key = await this.#key(signal)
    return {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      'content-type': 'application/json',
      accept: 'text/event-stream, application/json',
      ...this.#settings.headers,
    }
  }

  async #key(signal: AbortSignal): Promise<string | null> {
    const { apiKey } = this.#settings
    if (typeof apiKey !== 'function') return apiKey
    let key: unknown
    try {
      key = await raceSignal(Promise.resolve(apiKey({ signal })), signal)
    } catch (error) {
      signal.throwIfAborted()
      throw this.failures.make('unauthorized', `got no key: ${this.failures.reason(error)}.`)
    }
    if (!isHeaderValue(key)) {
      throw this.failures.make(
        'unauthorized',
        'got no key: the function gave none, or one no header can hold.',
      )
    }
    this.#secrets.add(key)
    return key
  }

  async #fetch(url: URL, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
    try {
      return await fetch(url, {
        ...init,
        redirect: 'manual',
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
        cache: 'no-store',
      })
    } catch (error) {
      init.signal.throwIfAborted()
      throw this.failures.make(
        'network',
        `cannot be reached: ${this.failures.reason(error)}. Check the connection, the address, and in a page that the ` +
          'server allows its origin (CORS).',
      )
    }
  }
}
