import type { ChatCompletionParams, Engine } from '../contract/engine'
import { EngineError } from '../contract/error'
import type { OutgoingRequest } from '../contract/route'

/** A server and the model that is asked there. */
export type Destination = Pick<OutgoingRequest, 'url' | 'model'>

/** What an engine may send. Of one that does not tell, the model and the parameters are all there is to show. */
export function outgoingOf(engine: Engine, params: ChatCompletionParams): readonly OutgoingRequest[] {
  return engine.outgoing?.(params) ?? [{ url: '', model: engine.info.model, body: JSON.stringify(params) }]
}

/**
 * Holds a remote to what it told: what leaves is what the user was shown.
 * @throws EngineError 'forbidden' where it is about to send something else, or elsewhere
 */
export function checkOutgoing(request: OutgoingRequest, told: readonly OutgoingRequest[]): void {
  const isTold = told.some(
    ({ url, model, body }) =>
      // Who tells no address cannot be held to it.
      url === '' || (url === request.url && model === request.model && body === request.body),
  )
  if (isTold) return
  throw new EngineError(
    'forbidden',
    `A request to ${request.url} was stopped: it is not what the remote said it would send.`,
    { details: { reason: 'no-consent' } },
  )
}
