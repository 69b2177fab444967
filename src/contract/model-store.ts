import type { LoadProgress } from './engine'

/** A model on this device, whole or in part. */
export interface StoredModel {
  /** What it is called here. */
  readonly key: string
  /** For `createEngine({ model })`: loads it from this device, whatever became of its source. */
  readonly url: string
  /** For people. */
  readonly name: string
  /** As in the manifest, or made of the file's name. */
  readonly id: string
  readonly quantization: string
  readonly licence: string
  /** Of the whole file, lower-case hex; of an import that did not end, zeros. */
  readonly sha256: string
  readonly sizeBytes: number
  /** How much of it is here. */
  readonly storedBytes: number
  /** Only then it can be loaded without a network. */
  readonly isComplete: boolean
  /** Whether an engine was made of it here: 'failed' where that could not be. */
  readonly state: 'untried' | 'proven' | 'failed'
  /** Manifests that it is kept for. */
  readonly sources: readonly string[]
  /** A person brought it here. */
  readonly isImported: boolean
  /** Milliseconds since 1970. */
  readonly addedAt: number
  readonly lastUsedAt: number | null
  /** The newer version at its source, as of the last load or check. */
  readonly update: ModelUpdate | null
}

/** A newer version of a model, which is not here yet. */
export interface ModelUpdate {
  readonly sha256: string
  readonly name: string
  readonly sizeBytes: number
}

/** What a model at a URL is, and how much of it is here: what to say before anything is downloaded. */
export interface ModelDescription {
  readonly name: string
  readonly licence: string
  readonly sizeBytes: number
  readonly storedBytes: number
  /** Whether loading it needs no network. */
  readonly isComplete: boolean
}

export interface StorageRoom {
  /** Where models are kept; null: nowhere, in this browser. */
  readonly kind: 'opfs' | 'indexed-db' | null
  /** Of all models here. */
  readonly modelBytes: number
  /** Of all that this origin keeps; null where the browser does not say. */
  readonly usedBytes: number | null
  /** What this origin may keep in all. */
  readonly quotaBytes: number | null
  /** Whether the browser will not clear it by itself. */
  readonly isPersistent: boolean
}

export interface TransferOptions {
  signal?: AbortSignal
  /** In phases 'download' and 'ready', of the file's bytes. */
  onProgress?: (progress: LoadProgress) => void
}

/** The models on this device. */
export interface ModelStore {
  /** Newest first. */
  list(): Promise<StoredModel[]>
  /**
   * The model whose manifest lies at `url` (relative to the page), from this device where it is here; else asks the network.
   * Rejects with 'network' or 'invalid-model'.
   */
  describe(url: string | URL, options?: { signal?: AbortSignal }): Promise<ModelDescription>
  /** Rejects with 'storage-busy' while another tab gets or reads it. An engine made of it goes on. */
  delete(key: string): Promise<void>
  /** The whole GGUF file. Rejects with 'invalid-argument' where it is not complete. */
  export(key: string): Promise<File>
  /**
   * Keeps a GGUF file: one that was picked or dropped, or at a URL (`resolve` and `blob` links of Hugging Face too). It is checked
   * first. Rejects with 'invalid-model', 'unsupported', 'storage-full', 'network'; an interrupted import from a URL
   * goes on where it was.
   */
  import(source: Blob | string | URL, options?: TransferOptions): Promise<StoredModel>
  /** Whether its source has a newer version. Rejects with 'network'. */
  checkForUpdate(key: string, options?: { signal?: AbortSignal }): Promise<ModelUpdate | null>
  /** Gets the newer version beside the old one, which stays until the new one has loaded. */
  update(key: string, options?: TransferOptions): Promise<StoredModel>
  room(): Promise<StorageRoom>
  /** Asks the browser not to clear models by itself; on a visitor's click. @returns whether it will not */
  persist(): Promise<boolean>
  /** Called when models come, go or have news, in any tab. @returns what stops it */
  subscribe(listener: () => void): () => void
  /** Ends its worker. */
  dispose(): void
}
