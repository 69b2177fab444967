import type { ByteSource } from '../contract/bytes'
import { EngineError, isEngineError } from '../contract/error'
import { chunkSource } from './chunk-source'
import type { OnDownloadProgress } from './download-progress'
import { absoluteUrl } from './http'
import { KeptModel } from './kept-model'
import type { Manifest } from './manifest'
import { takeLock } from './model-lock'
import { newRecord, parseRecord, type ModelRecord } from './model-record'
import type { ModelStorage } from './model-storage'
import { fetchManifest, urlChunks } from './model-url'
import { piecesOf } from './pieces'
import { roomHere } from './room'
import { storageFull } from './storage-full'
import { StoreChannel } from './store-channel'
import { chooseVersion } from './versions'

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

type ChangeRecord = (record: ModelRecord | null) => ModelRecord | null

/** How long nothing is told to other tabs of a download after it was. */
const NEWS_INTERVAL_MS = 100

/** Models on this device: which there are, which version of one is used, and how they come here. */
export class ModelLibrary {
  readonly storage: ModelStorage
  readonly channel: StoreChannel
  #lastChange: Promise<void> = Promise.resolve()

  constructor(storage: ModelStorage, channel = new StoreChannel()) {
    this.storage = storage
    this.channel = channel
  }

  /** By key; what can't be read is left out. */
  async records(): Promise<Map<string, ModelRecord>> {
    const records = new Map<string, ModelRecord>()
    for (const key of await this.storage.keys()) {
      const record = parseRecord(await this.storage.readRecord(key))
      if (record !== null) records.set(key, record)
    }
    return records
  }

  /** `change` gives the new record, or null for none of it. Calls take turns, those of other tabs too. */
  async changeRecord(key: string, change: ChangeRecord): Promise<void> {
    const changed = this.#lastChange.then(() => this.#changeRecord(key, change))
    this.#lastChange = changed.catch(() => undefined)
    return changed
  }

  async #changeRecord(key: string, change: ChangeRecord): Promise<void> {
    const giveBack = await takeLock(`minnow-record-${key}`, new AbortController().signal)
    try {
      const changed = change(parseRecord(await this.storage.readRecord(key)))
      if (changed !== null) await this.storage.writeRecord(key, changed)
    } finally {
      giveBack()
    }
    this.channel.tell({ type: 'changed' })
  }

  /**
   * Opens the model whose manifest lies at `url`: from this device without any request where it is here, else from
   * the network, to be kept. Rejects as fetchManifest() does.
   */
  async openUrl(url: string, options: OpenModelOptions): Promise<LibraryModel> {
    const { mirrors = [], signal } = options
    const urls = [url, ...mirrors].map(absoluteUrl)
    const chosen = chooseVersion(await this.records(), url)
    if (chosen !== null && !chosen.isLastResort) return this.#openHere(chosen.key, urls, options)
    let manifest: Manifest
    try {
      manifest = await firstManifest(urls, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (chosen === null) throw error
      return this.#openHere(chosen.key, urls, options)
    }
    return this.#openDownload(manifest, urls, options)
  }

  /** Opens a model that is here whole. Rejects with 'invalid-argument' where it is not. */
  async openKey(key: string, options: OpenModelOptions): Promise<LibraryModel> {
    const record = parseRecord(await this.storage.readRecord(key))
    if (record?.complete !== true) {
      throw new EngineError('invalid-argument', `There is no model ${key} on this device. Get it again.`, {
        details: { key },
      })
    }
    return this.#openHere(key, record.sources.map(absoluteUrl), options)
  }

  async #openHere(key: string, urls: readonly URL[], options: OpenModelOptions): Promise<LibraryModel> {
    const { manifest, state } = parseRecord(await this.storage.readRecord(key))!
    const pieces = piecesOf(manifest)
    const file = await this.storage.openFile(key, pieces)
    if (state !== 'proven') {
      await this.changeRecord(key, (record) => record && { ...record, attempts: record.attempts + 1 })
    }
    const { signal, onProgress } = options
    const model = new KeptModel({
      manifest,
      pieces,
      file,
      urls,
      signal,
      onProgress,
      onComplete: async () => undefined,
      onFull: () => undefined,
      onClosed: async () => undefined,
    })
    return this.#libraryModel(key, manifest, model, urls[0])
  }

  async #openDownload(
    manifest: Manifest,
    urls: readonly URL[],
    options: OpenModelOptions,
  ): Promise<LibraryModel> {
    const { signal, onNotKept } = options
    const key = manifest.sha256
    const giveBack = await this.#takeTurn(key, options)
    let isOpen = false
    try {
      await this.#checkRoom(key, manifest.sizeBytes)
      const model = await this.#begin(manifest, urls, options, giveBack)
      isOpen = true
      return this.#libraryModel(key, manifest, model, urls[0])
    } catch (error) {
      signal.throwIfAborted()
      if (!isEngineError(error, 'storage-full') && !(error instanceof DOMException)) throw error
      onNotKept?.(isEngineError(error) ? error : noStorage(error))
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
    await this.changeRecord(key, (known) => withSource(known, manifest, urls[0]!))
    const file = await this.storage.openFile(key, pieces)
    let isFull = false
    let lastNewsMs = 0
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
        this.channel.tell({ type: 'progress', key, progress })
      },
      onComplete: async () => {
        await this.changeRecord(key, (record) => record && { ...record, complete: true })
        giveBack()
      },
      onFull: (error) => {
        isFull = true
        onNotKept?.(error)
      },
      onClosed: async () => {
        if (isFull) await this.storage.delete(key).catch(() => undefined)
        giveBack()
      },
    })
    if (file.held.includes(0)) model.download()
    else await this.changeRecord(key, (record) => record && { ...record, complete: true })
    return model
  }

  /** Waits while another tab gets the same model, and shows its progress. */
  async #takeTurn(key: string, { signal, onProgress }: OpenModelOptions): Promise<() => void> {
    const stop = this.channel.listen((news) => {
      if (news.type === 'progress' && news.key === key) onProgress?.(news.progress)
    })
    try {
      return await takeLock(`minnow-model-${key}`, signal)
    } finally {
      stop()
    }
  }

  /** @throws EngineError 'storage-full' where the browser says that a new model has no room. */
  async #checkRoom(key: string, sizeBytes: number): Promise<void> {
    // The room of one that was begun is taken already.
    if ((await this.storage.readRecord(key)) !== undefined) return
    const room = await roomHere()
    if (room === null || room.quotaBytes - room.usedBytes >= sizeBytes) return
    const freeBytes = Math.max(0, room.quotaBytes - room.usedBytes)
    throw storageFull(`room for ${freeBytes} bytes, but the model has ${sizeBytes}`, {
      wantedBytes: sizeBytes,
      freeBytes,
    })
  }

  #libraryModel(key: string, manifest: Manifest, model: KeptModel, url: URL | undefined): LibraryModel {
    let isLoaded = false
    return {
      manifest,
      source: model.source,
      loaded: async () => {
        isLoaded = true
        await this.#prove(key, url?.href)
      },
      failed: async (error) => this.#blame(key, url?.href, error),
      close: async () => {
        const closed = model.close({ isLoaded })
        // What the engine did not need still comes, behind its back.
        if (!isLoaded || !model.isIncomplete) await closed
      },
    }
  }

  /** A version that works: those it replaces go. */
  async #prove(key: string, url: string | undefined): Promise<void> {
    await this.changeRecord(
      key,
      (record) => record && { ...record, state: 'proven', attempts: 0, lastUsedAt: Date.now() },
    )
    if (url === undefined) return
    for (const [other, { sources }] of await this.records()) {
      if (other === key || !sources.includes(url)) continue
      await this.#leave(other, url)
    }
  }

  /** A model goes when nobody asks for it any more, unless somebody brought it here. */
  async #leave(key: string, url: string): Promise<void> {
    const record = parseRecord(await this.storage.readRecord(key))
    if (record === null) return
    const sources = record.sources.filter((source) => source !== url)
    if (sources.length === 0 && !record.imported) {
      // One that another tab still reads goes another time.
      await this.storage.delete(key).catch(() => undefined)
      this.channel.tell({ type: 'changed' })
    } else await this.changeRecord(key, (known) => known && { ...known, sources })
  }

  async #blame(key: string, url: string | undefined, error: unknown): Promise<boolean> {
    const isItsOwn = ['invalid-model', 'unsupported', 'integrity', 'internal'].some((code) =>
      isEngineError(error) ? error.code === code : false,
    )
    const record = parseRecord(await this.storage.readRecord(key))
    if (!isItsOwn || record === null || record.state === 'proven') return false
    await this.changeRecord(key, (known) => known && { ...known, state: 'failed' })
    if (url === undefined) return false
    const other = chooseVersion(await this.records(), url)
    if (other === null || other.isLastResort) return false
    const { sha256 } = record.manifest
    await this.changeRecord(
      other.key,
      (known) => known && { ...known, update: null, refused: [...new Set([...known.refused, sha256])] },
    )
    return true
  }
}

function withSource(known: ModelRecord | null, manifest: Manifest, url: URL): ModelRecord {
  const record = known ?? newRecord(manifest, { sources: [], imported: false, now: Date.now() })
  return { ...record, sources: [...new Set([...record.sources, url.href])] }
}

async function firstManifest(urls: readonly URL[], signal: AbortSignal): Promise<Manifest> {
  let failure: unknown
  for (const url of urls.filter(({ pathname }) => pathname.endsWith('.json'))) {
    try {
      return await fetchManifest(url, { signal })
    } catch (error) {
      signal.throwIfAborted()
      failure ??= error
    }
  }
  throw failure
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

function noStorage(cause: DOMException): EngineError {
  return new EngineError('unsupported', `The browser keeps no model here: ${cause.message}`, { cause })
}
