import type { ChatCompletion, ChatCompletions } from '../contract/engine'
import { createExclusive } from './exclusive'
import type { KeptList, WaitingQuestion } from './queues'
import type { RouterParts } from './route-run'
import { tell } from './tell'

/** Questions that wait for the network. */
export interface WaitingQuestions extends Pick<KeptList<WaitingQuestion>, 'list' | 'remove'> {
  /** Sends all that wait; those that fail go on waiting. @returns how many were answered. */
  send(options?: { signal?: AbortSignal }): Promise<number>
  /**
   * Sends all that wait now, and again whenever the browser says that the network is back, until the returned function is
   * called or the router is disposed of. A question is sent by one tab only, and each is asked about as any that leaves.
   */
  sendWhenOnline(): () => void
}

export interface SenderOptions {
  onAnswered: ((question: WaitingQuestion, completion: ChatCompletion) => void) | undefined
  disposal: AbortSignal
}

export function createSender(
  { waiting, isOnline }: Pick<RouterParts, 'waiting' | 'isOnline'>,
  completions: ChatCompletions,
  { onAnswered, disposal }: SenderOptions,
): WaitingQuestions {
  const sending = createExclusive('waiting')
  const send: WaitingQuestions['send'] = (options = {}) => {
    const signal = AbortSignal.any([disposal, ...(options.signal ? [options.signal] : [])])
    return sending(async () => {
      let answered = 0
      for (const question of await waiting.list()) {
        signal.throwIfAborted()
        if (!isOnline()) break
        const { params, messages, route, user, scope } = question
        try {
          const completion = await completions.create(
            {
              ...params,
              stream: false,
              messages,
              minnow: { route: { ...route, mode: 'only-in-cloud', user, scope } },
            },
            { signal },
          )
          await waiting.remove(question.id)
          answered++
          tell(onAnswered, question, completion)
        } catch (error) {
          // The ledger has it; the question stays where it is.
          if (signal.aborted) throw error
        }
      }
      return answered
    }, signal)
  }
  return {
    list: () => waiting.list(),
    remove: (id) => waiting.remove(id),
    send,
    sendWhenOnline() {
      const stop = new AbortController()
      const { addEventListener: listen } = globalThis as Partial<Pick<EventTarget, 'addEventListener'>>
      // What fails is in the ledger, and goes on waiting.
      const sendAll = (): void => void send({ signal: stop.signal }).catch(() => undefined)
      listen?.call(globalThis, 'online', sendAll, { signal: AbortSignal.any([stop.signal, disposal]) })
      sendAll()
      return () => stop.abort()
    },
  }
}
