import type { ChatCompletionChunk, ChatCompletionParams, Engine } from '../contract/engine'
import { EngineError } from '../contract/error'
import type { GenerationMessage, LoadMessage, LoadRequest, WorkerApi } from './api'
import { errorToData } from './error-data'
import type { OpenEngine } from './open-engine'
import { createPartBatcher } from './part-batcher'

/**
 * The worker's side of the wire: turns calls into engine calls and everything that comes of them into messages.
 * Knows no global of a worker, so that it can run on any pair of ports.
 */
export function createWorkerService(openEngine: OpenEngine, store: WorkerApi['store']): WorkerApi {
  let engine: Engine | null = null
  let busyLoading = false

  return {
    async load(request: LoadRequest, port: MessagePort): Promise<void> {
      const send = (message: LoadMessage): void => port.postMessage(message)
      const signal = cancelSignal(port)
      try {
        if (engine !== null || busyLoading) {
          throw new EngineError(
            'invalid-argument',
            'This worker already has an engine. Dispose of that first.',
          )
        }
        busyLoading = true
        if (request.lifeLock !== undefined && (await holdLock(request.lifeLock))) send({ type: 'alive' })
        engine = await openEngine({
          model: request.model,
          threads: request.threads,
          backend: request.backend,
          powerPreference: request.powerPreference,
          contextLength: request.contextLength,
          kvCache: request.kvCache,
          parallel: request.parallel,
          cacheLimitBytes: request.cacheLimitBytes,
          cache: request.cache,
          mirrors: request.mirrors,
          signal,
          onProgress: (progress) => send({ type: 'progress', progress }),
        })
        if (signal.aborted) {
          await engine.dispose()
          engine = null
          throw signal.reason
        }
        send({ type: 'loaded', info: { ...engine.info } })
      } catch (error) {
        send({ type: 'failed', error: errorToData(error) })
      } finally {
        busyLoading = false
        port.close()
      }
    },

    async generate(params: ChatCompletionParams, port: MessagePort): Promise<void> {
      const send = (message: GenerationMessage): void => port.postMessage(message)
      const signal = cancelSignal(port)
      const batcher = createPartBatcher<ChatCompletionChunk>((parts) => send({ type: 'parts', parts }))
      try {
        if (engine === null)
          throw new EngineError('disposed', 'The engine of this worker was disposed of. Create a new one.')
        const { stream, ...rest } = params
        if (stream === true) {
          const chunks = await engine.chat.completions.create({ ...rest, stream }, { signal })
          send({ type: 'started' })
          let hasText = false
          for await (const chunk of chunks) {
            batcher.push(chunk)
            // The part with the role has just gone out; the first text must not wait for its interval.
            if (!hasText && (chunk.choices[0]?.delta.content ?? '') !== '') {
              hasText = true
              batcher.flush()
            }
          }
          batcher.flush()
          send({ type: 'ended', info: { ...engine.info } })
        } else {
          const completion = await engine.chat.completions.create({ ...rest, stream: false }, { signal })
          send({ type: 'completed', completion, info: { ...engine.info } })
        }
      } catch (error) {
        batcher.flush()
        send({ type: 'failed', error: errorToData(error) })
      } finally {
        port.close()
      }
    },

    store,

    async unload(): Promise<void> {
      const unloaded = engine
      engine = null
      await unloaded?.dispose()
    },
  }
}

/** Fires when the client cancels on this port. */
function cancelSignal(port: MessagePort): AbortSignal {
  const controller = new AbortController()
  // The only message a client sends on these ports is 'cancel'.
  port.onmessage = () => controller.abort(new EngineError('aborted', 'Cancelled by the client.'))
  return controller.signal
}

/** Takes a Web Lock and keeps it until the worker ends, however it ends. False where locks are refused. */
function holdLock(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    navigator.locks
      .request(name, () => {
        resolve(true)
        return new Promise<never>(() => undefined)
      })
      .catch(() => resolve(false))
  })
}
