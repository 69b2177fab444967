import type { ByteSource } from '../contract/bytes'
import { EngineError, isEngineError } from '../contract/error'
import { chunkSource } from './chunk-source'
import type { OnDownloadProgress } from './download-progress'
import { absoluteUrl } from './http'
import { KeptModel } from './kept-model'
import type { Manifest } from './manifest'
import { lockOf, takeLock } from './model-lock'
import { newRecord, type ModelRecord } from './model-record'
import { ModelRecords } from './model-records'
import type { ModelStorage } from './model-storage'
import { urlChunks } from './model-url'
import { piecesOf } from './pieces'
import { roomHere } from './room'
import { storageFull } from './storage-full'
import { StoreChannel } from './store-channel'
import { blame, chooseVersion, findUpdate, firstManifest, prove } from './versions'

export interface OpenModelOptions {
  /** Other URLs of the same manifest or of the whole file, for when the first does not answer. */
  mirrors?: readonly string[] | undefined
  signal: AbortSignal
  onProgress?: OnDownloadProgress | undefined
  /** The model can't be kept on this device; it is read from the network. */
  onNotKept?: ((error: EngineError) => void) | undefined
}

/** A model of the library, opened for an engine. */
export interface LibraryModel {
  readonly manifest: Manifest
  readonly source: ByteSource
  /** An engine was made of it: it replaces older versions. */
  loaded(): Promise<void>
  /** No engine could be made of it. True where another version is here: open again. */
  failed(error: unknown): Promise<boolean>
  close(): Promise<void>
}

/** How long nothing is told to other tabs of a download after it was. */
const NEWS_INTERVAL_MS = 100
/** How long the source of a model may take to say whether there is a newer one. */
const CHECK_MS = 15_000

/** Models on this device: which version of one is used, and how it comes here. */
export class ModelLibrary {
  readonly storage: ModelStorage
  readonly records: ModelRecords
  readonly #channel: StoreChannel

  constructor(storage: ModelStorage, channel = new StoreChannel()) {
    this.storage = storage
    this.records = new ModelRecords(storage, channel)
    this.#channel = channel
  }

  /**
   * Opens the model whose manifest lies at `url`: from this device without any request where it is here, else from
   * the network, to be kept. Rejects as fetchManifest() does.
   */
  async openUrl(url: string, options: OpenModelOptions): Promise<LibraryModel> {
    const { mirrors = [], signal } = options
    const urls = [url, ...mirrors].map(absoluteUrl)
    const chosen = chooseVersion(await this.records.all(), urls[0]!.href)
    if (chosen !== null && !chosen.isLastResort) return this.#openHere(chosen.key, urls, options)
    let manifest: Manifest
    try {
      manifest = await firstManifest(urls, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (chosen === null) throw error
      return this.#openHere(chosen.key, urls, options)
    }
    const same = await this.records.keyOf(manifest.sha256)
    if (same === null) return this.#openDownload(manifest, urls, options)
    // Imported, or kept for another URL.
    await this.records.change(same, (record) => record && withSource(record, urls[0]!))
    return this.#openHere(same, urls, options)
  }

  /** Opens a model that is here whole. Rejects with 'invalid-argument' where it is not. */
  async openKey(key: string, options: OpenModelOptions): Promise<LibraryModel> {
    const record = await this.records.get(key)
    if (record?.complete !== true) throw notHere(key)
    return this.#openHere(key, record.sources.map(absoluteUrl), options)
  }

  /** Gets the newer version of a model beside it. @returns the key of the version that will be loaded next */
  async update(key: string, options: OpenModelOptions): Promise<string> {
    const found = await findUpdate(this.records, key, options.signal)
    if (found === null) return key
    const { manifest, urls } = found
    const giveBack = await this.#takeTurn(manifest.sha256, options)
    try {
      await this.#checkRoom(manifest.sha256, manifest.sizeBytes)
      const model = await this.#begin(manifest, urls, options, giveBack)
      try {
        await model.complete()
      } finally {
        await model.close({ isLoaded: false })
      }
    } finally {
      giveBack()
    }
    await this.records.update(key, { update: null })
    return manifest.sha256
  }

  async #openHere(key: string, urls: readonly URL[], options: OpenModelOptions): Promise<LibraryModel> {
    const record = await this.records.get(key)
    if (record === null) throw notHere(key)
    const { manifest, state, attempts } = record
    const pieces = piecesOf(manifest)
    const file = await this.storage.openFile(key, pieces)
    if (state !== 'proven') {
      // A full disk takes no notes, but gives back what it has.
      await this.records.update(key, { attempts: attempts + 1 }).catch(() => undefined)
    }
    const { signal, onProgress } = options
    const nothing = async (): Promise<void> => undefined
    const model = new KeptModel({
      manifest,
      pieces,
      file,
      urls,
      signal,
      onProgress,
      onComplete: nothing,
      onFull: () => undefined,
      onClosed: nothing,
    })
    return this.#libraryModel(key, model, urls[0], true)
  }

  async #openDownload(
    manifest: Manifest,
    urls: readonly URL[],
    options: OpenModelOptions,
  ): Promise<LibraryModel> {
    const { signal, onNotKept } = options
    const giveBack = await this.#takeTurn(manifest.sha256, options)
    let isOpen = false
    try {
      await this.#checkRoom(manifest.sha256, manifest.sizeBytes)
      const model = await this.#begin(manifest, urls, options, giveBack)
      isOpen = true
      return this.#libraryModel(manifest.sha256, model, urls[0], false)
    } catch (error) {
      signal.throwIfAborted()
      if (!isEngineError(error, 'storage-full') && !(error instanceof DOMException)) throw error
      await this.records.delete(manifest.sha256).catch(() => undefined)
      onNotKept?.(isEngineError(error) ? noRoom(manifest, error) : noStorage(error))
      return unkept(manifest, urls, options)
    } finally {
      if (!isOpen) giveBack()
    }
  }

  /** Starts the download, unless another tab has just ended it. */
  async #begin(
    manifest: Manifest,
    urls: readonly URL[],
    { signal, onProgress, onNotKept }: OpenModelOptions,
    giveBack: () => void,
  ): Promise<KeptModel> {
    const key = manifest.sha256
    const pieces = piecesOf(manifest)
    await this.records.change(key, (known) => withSource(known ?? newRecord(manifest, {}), urls[0]!))
    const file = await this.storage.openFile(key, pieces)
    let isFull = false
    let lastNewsMs = 0
    const complete = async (): Promise<void> => {
      await this.records.update(key, { complete: true })
      giveBack()
    }
    const model = new KeptModel({
      manifest,
      pieces,
      file,
      urls,
      signal,
      onProgress: (progress) => {
        onProgress?.(progress)
        const now = performance.now()
        if (now - lastNewsMs < NEWS_INTERVAL_MS) return
        lastNewsMs = now
        this.#channel.tell({ type: 'progress', key, progress })
      },
      onComplete: complete,
      onFull: (cause) => {
        isFull = true
        onNotKept?.(noRoom(manifest, cause))
      },
      onClosed: async () => {
        // A part that can't become a whole takes room for nothing.
        if (isFull) await this.records.delete(key).catch(() => undefined)
        giveBack()
      },
    })
    if (model.isIncomplete) model.download()
    else await complete()
    return model
  }

  /** Waits while another tab gets the same model, and shows its progress. */
  async #takeTurn(key: string, { signal, onProgress }: OpenModelOptions): Promise<() => void> {
    const stop = this.#channel.listen((news) => {
      if (news.type === 'progress' && news.key === key) onProgress?.(news.progress)
    })
    try {
      return await takeLock(lockOf(key), signal)
    } finally {
      stop()
    }
  }

  /** @throws EngineError 'storage-full' where the browser says that a new model has no room. */
  async #checkRoom(key: string, sizeBytes: number): Promise<void> {
    // The room of one that was begun is taken already.
    if ((await this.records.get(key)) !== null) return
    const room = await roomHere()
    if (room === null || room.quotaBytes - room.usedBytes >= sizeBytes) return
    const freeBytes = Math.max(0, room.quotaBytes - room.usedBytes)
    throw storageFull(`room for ${freeBytes} bytes, but the model has ${sizeBytes}`, {
      wantedBytes: sizeBytes,
      freeBytes,
    })
  }

  #libraryModel(key: string, model: KeptModel, url: URL | undefined, isHere: boolean): LibraryModel {
    const { records } = this
    let isLoaded = false
    return {
      manifest: model.manifest,
      source: model.source,
      async loaded() {
        isLoaded = true
        await prove(records, key, url?.href).catch(() => undefined)
        // In the background; without a network nothing is to be said.
        if (isHere) findUpdate(records, key, AbortSignal.timeout(CHECK_MS)).catch(() => undefined)
      },
      failed: async (problem) => blame(records, key, url?.href, problem).catch(() => false),
      async close() {
        const closed = model.close({ isLoaded })
        // What the engine did not need still comes, behind its back.
        if (!isLoaded || !model.isIncomplete) await closed
      },
    }
  }
}

function withSource(record: ModelRecord, { href }: URL): ModelRecord {
  return { ...record, sources: [...new Set([...record.sources, href])] }
}

/** As from a device that keeps nothing. */
function unkept(manifest: Manifest, urls: readonly URL[], { onProgress }: OpenModelOptions): LibraryModel {
  return {
    manifest,
    source: chunkSource(manifest, urlChunks(urls), { onProgress }),
    loaded: async () => undefined,
    failed: async () => false,
    close: async () => undefined,
  }
}

function noRoom({ sizeBytes }: Manifest, cause: EngineError): EngineError {
  if (cause.details['freeBytes'] !== undefined) return cause
  return storageFull(`no room for a model of ${sizeBytes} bytes`, { wantedBytes: sizeBytes }, cause)
}

function notHere(key: string): EngineError {
  return new EngineError('invalid-argument', `There is no whole model ${key} on this device. Get it again.`, {
    details: { key },
  })
}

function noStorage(cause: DOMException): EngineError {
  return new EngineError('unsupported', `The browser keeps no model here: ${cause.message}`, { cause })
}
