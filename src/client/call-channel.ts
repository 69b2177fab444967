import { transfer } from 'comlink'
import { EngineError } from '../contract/error'
import type { CancelMessage } from '../worker/api'
import type { WorkerLink } from './worker-link'

/** What every channel's messages have in common. */
interface Tagged {
  type: string
}

/**
 * One call to the worker and the messages that come back on its own port. Ends with the message `isLast`
 * accepts, or by failure: the caller's signal, the worker's death, dispose(). After its end nothing is delivered.
 */
export interface CallChannelOptions<Message extends Tagged> {
  link: WorkerLink
  signal: AbortSignal | undefined
  /** Makes the call; `port` is already marked for transfer. */
  call(port: MessagePort): Promise<void>
  isLast(message: Message): boolean
  /** `reply` answers on the same port. */
  onMessage(message: Message, reply: (answer: unknown) => void): void
  onFailure(reason: unknown): void
}

/** Opens the channel and gives the function that cancels the call; that is quiet and may be called again. */
export function openCallChannel<Message extends Tagged>(options: CallChannelOptions<Message>): () => void {
  const { link, signal, call, isLast, onMessage, onFailure } = options
  const { port1, port2 } = new MessageChannel()
  let open = true

  const end = (): void => {
    open = false
    unregister()
    signal?.removeEventListener('abort', onAbort)
    port1.onmessage = null
    port1.close()
  }
  const cancel = (): void => {
    if (!open) return
    port1.postMessage({ type: 'cancel' } satisfies CancelMessage)
    end()
  }
  const fail = (reason: unknown): void => {
    if (!open) return
    cancel()
    onFailure(reason)
  }
  const onAbort = (): void => fail(signal?.reason)

  let unregister: () => void = () => undefined
  unregister = link.register(fail)
  if (!open) return cancel
  if (signal?.aborted === true) {
    fail(signal.reason)
    return cancel
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  port1.onmessage = (event: MessageEvent<Message>) => {
    if (!open) return
    if (isLast(event.data)) end()
    onMessage(event.data, (answer) => {
      if (open) port1.postMessage(answer)
    })
  }
  // Outcomes come on the port; the call itself rejects only where an argument can't be cloned.
  call(transfer(port2, [port2])).catch((cause: unknown) => fail(refusal(cause)))
  return cancel
}

function refusal(cause: unknown): EngineError {
  const message = cause instanceof Error ? cause.message : String(cause)
  return new EngineError('invalid-argument', `The options can't be sent to the worker: ${message}`, { cause })
}
