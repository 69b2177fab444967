import { expose } from 'comlink'
import { FRAME_CONNECT, FRAME_READY } from '../client/frame-messages'
import { createSharedEngine } from '../client/shared-engine'
import { EngineError } from '../contract/error'
import type { StoreMessage, WorkerApi } from '../worker/api'
import { createWorkerService } from '../worker/service'

/**
 * The page `embed.html`: an engine for the page around it, which talks to it as to a worker. It gives answers
 * of a model and nothing else: no storage, no settings, no keys. Whom it may be framed by is said by its
 * server, in `frame-ancestors`.
 */
addEventListener('message', (event: MessageEvent<unknown>) => {
  const [port] = event.ports
  if (event.source !== parent || event.data !== FRAME_CONNECT || port === undefined) return
  expose(createWorkerService(openShared, refuseStore), port)
})
if (parent !== window) parent.postMessage(FRAME_READY, '*')

const openShared: Parameters<typeof createWorkerService>[0] = ({
  model,
  signal,
  onProgress,
  ...settings
}) => {
  if (model.kind !== 'url') {
    throw new EngineError('invalid-argument', 'An engine in a frame needs the URL of a model.')
  }
  const given = Object.entries(settings).filter(([, value]) => value !== undefined)
  return createSharedEngine({ model: model.url, signal, onProgress, ...Object.fromEntries(given) })
}

/** The models on the device are no business of the page around. */
const refuseStore: WorkerApi['store'] = async (_request, port) => {
  const error = new EngineError('unsupported', 'The models of this device are not told through a frame.')
  port.postMessage({ type: 'failed', error: error.toData() } satisfies StoreMessage)
  port.close()
}
