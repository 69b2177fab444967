import type { NoteStorage } from '../backend/device/notes'
import { loadBackend } from '../backend/select'
import type { ByteSource } from '../contract/bytes'
import type { BackendPreference, Engine, KvCache, LoadProgress } from '../contract/engine'
import type { EngineError } from '../contract/error'
import { type Probe, SAMPLE_TEXT } from '../contract/probe'
import { createLocalEngine } from '../engine/local-engine'
import { parseGguf } from '../gguf/parse'
import { readModel } from '../model/read-model'
import type { OnDownloadProgress } from '../store/download-progress'
import { loadChatTemplate } from '../tokenizer/chat-template'
import { createTokenizer } from '../tokenizer/tokenizer'
import type { ModelReference } from './api'
import { createProgress, type Progress } from './load-progress'

/** Tokens; the KV cache of more would weigh as much as the embedded model's weights. */
const DEFAULT_CONTEXT_LENGTH = 2048

export interface OpenEngineOptions {
  model: ModelReference
  threads?: number | undefined
  backend?: BackendPreference | undefined
  powerPreference?: GPUPowerPreference | undefined
  contextLength?: number | undefined
  kvCache?: KvCache | undefined
  parallel?: number | undefined
  cacheLimitBytes?: number | undefined
  /** Whether a model from the network is kept on this device. Default true, where there is a place. */
  cache?: boolean | undefined
  /** Other URLs of the model. */
  mirrors?: readonly string[] | undefined
  signal: AbortSignal
  onProgress(progress: LoadProgress): void
}

export type OpenEngine = (options: OpenEngineOptions) => Promise<Engine>

/** A model's file, opened: where its bytes come from and what to call it. */
export interface OpenedModel {
  source: ByteSource
  /** Name of the model where the file has none of its own. */
  id: string
  /** From the manifest, where there is one. */
  modelHash?: string
  quantization?: string
  probe?: Probe | undefined
  /** To be called when the engine is there. */
  loaded?(): Promise<void>
  /** To be called when there will be none of it. True where another version of the model is to be tried. */
  failed?(error: unknown): Promise<boolean>
  close(): Promise<void>
}

/** Opens what a reference names; `onProgress` is not called where nothing has to be fetched. */
export type OpenModel = (
  model: ModelReference,
  options: {
    signal: AbortSignal
    onProgress: OnDownloadProgress
    cache?: boolean | undefined
    mirrors?: readonly string[] | undefined
    /** The model was to be kept on this device, and can't be. */
    onNotKept?: ((error: EngineError) => void) | undefined
  },
) => Promise<OpenedModel>

/**
 * The composition root: the only place that knows every part. `openModel` is given by the platform's entry, since
 * a page and Node have different files; so are `notes`, where verdicts about devices are remembered.
 */
export function createOpenEngine(openModel: OpenModel, notes?: NoteStorage): OpenEngine {
  const load = async (
    options: OpenEngineOptions,
    opened: OpenedModel,
    progress: Progress,
    notKept: () => EngineError | null,
  ): Promise<Engine> => {
    const { model: reference, signal } = options
    const gguf = await parseGguf(opened.source, { signal })
    const model = await readModel(gguf, opened.source, { signal })
    const contextLength = Math.min(options.contextLength ?? DEFAULT_CONTEXT_LENGTH, model.contextLength)
    const tokenizer = createTokenizer(gguf)
    // Neither needs the other: the template's interpreter arrives while the weights do.
    const template = loadChatTemplate(gguf, tokenizer)
    template.catch(() => undefined)
    const { backend, reason } = await loadBackend({
      model,
      bytes: opened.source,
      threads: options.threads,
      kvCache: options.kvCache,
      preference: options.backend,
      powerPreference: options.powerPreference,
      probe: opened.probe,
      sampleTokens: Array.from(tokenizer.encode(SAMPLE_TEXT)),
      contextLength,
      modelKey: opened.modelHash ?? opened.id,
      notes,
      reopen: (again) =>
        openModel(reference, {
          signal: again,
          onProgress: () => undefined,
          cache: options.cache,
          mirrors: options.mirrors,
        }),
      signal,
      onProgress: progress.loaded,
    })
    try {
      return createLocalEngine({
        id: opened.id,
        modelHash: opened.modelHash,
        quantization: opened.quantization,
        backend,
        backendReason: reason,
        notKept: () => notKept()?.toData() ?? null,
        tokenizer,
        chatTemplate: await template,
        contextLength,
        parallel: options.parallel,
        cacheLimitBytes: options.cacheLimitBytes,
      })
    } catch (error) {
      backend.dispose()
      throw error
    }
  }

  return async (options) => {
    const { signal, cache, mirrors } = options
    const progress = createProgress(options.onProgress)
    let notKept: EngineError | null = null
    for (;;) {
      const opened = await openModel(options.model, {
        signal,
        cache,
        mirrors,
        onProgress: progress.downloaded,
        onNotKept(error) {
          notKept = error
          progress.notKept(error)
        },
      })
      try {
        const engine = await load(options, opened, progress, () => notKept)
        await opened.loaded?.()
        progress.ready()
        return engine
      } catch (error) {
        signal.throwIfAborted()
        if ((await opened.failed?.(error)) !== true) throw error
      } finally {
        await opened.close()
      }
    }
  }
}
