import { EngineError } from '../contract/error'
import { networkError, type HttpGet } from '../store/http'
import type { FetchedMessage, StoreMessage } from './api'

/** Requests that the page makes for the worker: a page may be allowed to ask other origins where its workers are not. */
export class PageFetch {
  readonly #send: (message: StoreMessage) => void
  readonly #waiting = new Map<number, (message: FetchedMessage) => void>()
  #lastId = 0

  constructor(send: (message: StoreMessage) => void) {
    this.#send = send
  }

  readonly get: HttpGet = async (url, { method = 'GET', headers, signal }) => {
    const id = ++this.#lastId
    const range = new Headers(headers).get('range')
    const answer = await new Promise<FetchedMessage>((resolve, reject) => {
      this.#waiting.set(id, resolve)
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      this.#send({ type: 'fetch', id, url: url.href, method, range })
    }).finally(() => this.#waiting.delete(id))
    if ('failure' in answer) throw networkError(url, answer.failure)
    const { status, statusText, body } = answer
    if (status < 200) throw new EngineError('network', `${url.href}: the server answered ${status}.`)
    return new Response(status === 204 || method === 'HEAD' ? null : body, {
      status,
      statusText,
      headers: answer.headers,
    })
  }

  answered(message: FetchedMessage): void {
    this.#waiting.get(message.id)?.(message)
  }
}
