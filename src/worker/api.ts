/**
 * What crosses between a client and its worker. Comlink carries the calls; each call brings one MessagePort
 * (at top level, so that it is transferred) on which progress, stream parts and the outcome come back in order,
 * and on which the client cancels.
 */

import type {
  BackendPreference,
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  EngineInfo,
  KvCache,
  LoadProgress,
} from '../contract/engine'
import type { EngineErrorData } from '../contract/error'
import type { ModelDescription, ModelUpdate, StorageRoom, StoredModel } from '../contract/model-store'

/** A model as it crosses: a URL is fetched by the worker, a Blob is read in slices. */
export type ModelReference = { kind: 'url'; url: string } | { kind: 'blob'; blob: Blob; name: string }

export interface LoadRequest {
  model: ModelReference
  /** Wanted threads; undefined: the backend's own choice. */
  threads?: number | undefined
  /** Default 'auto'. */
  backend?: BackendPreference | undefined
  powerPreference?: GPUPowerPreference | undefined
  /** In tokens; undefined: the engine's own choice. */
  contextLength?: number | undefined
  /** undefined: the backend's own choice. */
  kvCache?: KvCache | undefined
  /** undefined: the engine's own choice; so is the next. */
  parallel?: number | undefined
  cacheLimitBytes?: number | undefined
  /** Default true. */
  cache?: boolean | undefined
  /** Whole URLs. */
  mirrors?: readonly string[] | undefined
  /** A Web Lock the worker holds for as long as it lives, so that the client learns of its end. */
  lifeLock?: string | undefined
}

/** Worker to client, on a load's port. 'alive': the life lock is held. 'loaded' and 'failed' are last. */
export type LoadMessage =
  | { type: 'alive' }
  | { type: 'progress'; progress: LoadProgress }
  | { type: 'loaded'; info: EngineInfo }
  | { type: 'failed'; error: EngineErrorData }

/** Worker to client, on a generation's port. 'completed', 'ended' and 'failed' are last. */
export type GenerationMessage =
  | { type: 'started' }
  | { type: 'parts'; parts: ChatCompletionChunk[] }
  | { type: 'completed'; completion: ChatCompletion; info: EngineInfo }
  | { type: 'ended'; info: EngineInfo }
  | { type: 'failed'; error: EngineErrorData }

/** Client to worker, on either port. */
export interface CancelMessage {
  type: 'cancel'
}

/** About the models on this device. */
export type StoreRequest =
  | { type: 'list' }
  | { type: 'room' }
  | { type: 'describe'; url: string }
  | { type: 'delete' | 'export' | 'check' | 'update'; key: string }
  | { type: 'import'; model: ModelReference }

/** What each request gives. */
export interface StoreResults {
  list: StoredModel[]
  room: StorageRoom
  describe: ModelDescription
  delete: null
  export: File
  check: ModelUpdate | null
  update: StoredModel
  import: StoredModel
}

/** Worker to client, on the port of such a request. 'fetch' asks the page for a URL. 'done' and 'failed' are last. */
export type StoreMessage =
  | { type: 'progress'; progress: LoadProgress }
  | { type: 'fetch'; id: number; url: string; method: string; range: string | null }
  | { type: 'done'; result: StoreResults[StoreRequest['type']] }
  | { type: 'failed'; error: EngineErrorData }

/** The page's answer to 'fetch'. */
export type FetchedMessage = { type: 'fetched'; id: number } & (
  | { status: number; statusText: string; headers: [string, string][]; body: Blob }
  | { failure: string }
)

/** Client to worker, on that port. */
export type StoreInput = CancelMessage | FetchedMessage

/** Exposed by the worker through comlink. Outcomes come on the ports; the calls themselves never reject. */
export interface WorkerApi {
  /** Loads a model; one at a time, and only one engine a worker. */
  load(request: LoadRequest, port: MessagePort): Promise<void>
  /** One completion, streamed where `params.stream`. */
  generate(params: ChatCompletionParams, port: MessagePort): Promise<void>
  /** One question or order about the models on this device. */
  store(request: StoreRequest, port: MessagePort): Promise<void>
  /** Frees the engine; the worker can load again. */
  unload(): Promise<void>
}
