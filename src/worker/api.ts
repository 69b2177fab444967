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

/** Exposed by the worker through comlink. Outcomes come on the ports; the calls themselves never reject. */
export interface WorkerApi {
  /** Loads a model; one at a time, and only one engine a worker. */
  load(request: LoadRequest, port: MessagePort): Promise<void>
  /** One completion, streamed where `params.stream`. */
  generate(params: ChatCompletionParams, port: MessagePort): Promise<void>
  /** Frees the engine; the worker can load again. */
  unload(): Promise<void>
}
