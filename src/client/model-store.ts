import { EngineError } from '../contract/error'
import type {
  ModelDescription,
  ModelStore,
  ModelUpdate,
  StorageRoom,
  StoredModel,
  TransferOptions,
} from '../contract/model-store'
import type { StoreMessage, StoreRequest, StoreResults } from '../worker/api'
import { openCallChannel } from './call-channel'
import { resolveUrl, toModelReference } from './model-reference'
import { requestForWorker } from './page-request'
import { adoptWorker, checkWorker, spawnWorker } from './spawn-worker'
import { WorkerLink } from './worker-link'

/** The BroadcastChannel on which workers tell of what changes (store/store-channel.ts). */
const CHANNEL = 'minnow-models'

/** A worker that nobody asks anything is ended after this time. */
const IDLE_MS = 5000

/**
 * The models on this device: what is there, how much room there is, bringing files in and out. Nothing starts before the first
 * call. In Node the list is empty: models are files there.
 */
export function openModelStore({ worker }: { worker?: Worker } = {}): ModelStore {
  if (worker !== undefined) checkWorker(worker)
  return new WorkerModelStore(worker)
}

class WorkerModelStore implements ModelStore {
  readonly #own: Worker | undefined
  #link: Promise<WorkerLink> | null = null
  #calls = 0
  #idle: ReturnType<typeof setTimeout> | undefined
  #isDisposed = false

  constructor(worker: Worker | undefined) {
    this.#own = worker
  }

  async list(): Promise<StoredModel[]> {
    return this.#call({ type: 'list' })
  }

  async describe(url: string | URL, { signal }: { signal?: AbortSignal } = {}): Promise<ModelDescription> {
    return this.#call({ type: 'describe', url: resolveUrl(url) }, { signal })
  }

  async delete(key: string): Promise<void> {
    await this.#call({ type: 'delete', key })
  }

  async export(key: string): Promise<File> {
    return this.#call({ type: 'export', key })
  }

  async import(source: Blob | string | URL, options: TransferOptions = {}): Promise<StoredModel> {
    return this.#call({ type: 'import', model: toModelReference(source) }, options)
  }

  async checkForUpdate(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<ModelUpdate | null> {
    return this.#call({ type: 'check', key }, { signal })
  }

  async update(key: string, options: TransferOptions = {}): Promise<StoredModel> {
    return this.#call({ type: 'update', key }, options)
  }

  async room(): Promise<StorageRoom> {
    return this.#call({ type: 'room' })
  }

  async persist(): Promise<boolean> {
    // The types promise both everywhere; Node and plain http pages lack them.
    const { navigator } = globalThis as { navigator?: { storage?: Partial<StorageManager> } }
    const storage = navigator?.storage
    return (await storage?.persist?.().catch(() => false)) ?? false
  }

  subscribe(listener: () => void): () => void {
    if (typeof BroadcastChannel === 'undefined') return () => undefined
    const channel = new BroadcastChannel(CHANNEL)
    channel.addEventListener('message', ({ data }: MessageEvent<{ type: string }>) => {
      if (data.type === 'changed') listener()
    })
    return () => channel.close()
  }

  dispose(): void {
    this.#isDisposed = true
    this.#end(new EngineError('disposed', 'The store of models was disposed of. Open it again.'))
  }

  async #call<Type extends StoreRequest['type']>(
    request: Extract<StoreRequest, { type: Type }> | (StoreRequest & { type: Type }),
    {
      signal,
      onProgress,
    }: { signal?: AbortSignal | undefined; onProgress?: TransferOptions['onProgress'] } = {},
  ): Promise<StoreResults[Type]> {
    signal?.throwIfAborted()
    if (this.#isDisposed) {
      throw new EngineError('disposed', 'The store of models was disposed of. Open it again.')
    }
    clearTimeout(this.#idle)
    this.#calls++
    try {
      const link = await (this.#link ??= this.#connect())
      return await new Promise<StoreResults[Type]>((resolve, reject) => {
        openCallChannel<StoreMessage>({
          link,
          signal,
          call: (port) => link.api.store(request, port),
          isLast: ({ type }) => type === 'done' || type === 'failed',
          onMessage(message, reply) {
            if (message.type === 'progress') onProgress?.(message.progress)
            else if (message.type === 'fetch')
              void requestForWorker(message, { signal, onProgress }).then(reply)
            // The worker answers what was asked.
            else if (message.type === 'done') resolve(message.result as StoreResults[Type])
            else reject(EngineError.fromData(message.error))
          },
          onFailure: reject,
        })
      })
    } finally {
      this.#calls--
      if (this.#calls === 0) this.#idle = setTimeout(() => this.#end(idle()), IDLE_MS)
    }
  }

  async #connect(): Promise<WorkerLink> {
    const handle = this.#own === undefined ? await spawnWorker() : adoptWorker(this.#own)
    const link = new WorkerLink(handle)
    handle.onLost(() => {
      this.#link = null
    })
    return link
  }

  #end(reason: EngineError): void {
    clearTimeout(this.#idle)
    this.#link?.then((link) => link.close(reason)).catch(() => undefined)
    this.#link = null
  }
}

function idle(): EngineError {
  return new EngineError('aborted', 'Nobody asked the store of models anything.')
}
