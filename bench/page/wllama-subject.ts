import { Wllama, type RawCompletionChunk } from '@wllama/wllama'
import type { ChatMessage, LoadTimes, Subject, SubjectRequest } from './subject'

// wllama has one build for one and more threads; with one thread no shared memory is used.
const WASM_URL = '/wllama/wllama.wasm'

interface CompletionTimes {
  /** llama-server's own clock: without tokenising, without messages to the page. */
  readonly promptMs: number
  /** For the tokens after the first. */
  readonly decodeMs: number
  readonly promptTokens: number
  readonly newTokens: number
}

/**
 * wllama takes prompts as text only, so it gets the words whose ids the others get; the number of tokens it then
 * reports is checked.
 */
export class WllamaSubject implements Subject {
  readonly #engine: Wllama
  readonly #request: SubjectRequest

  private constructor(engine: Wllama, request: SubjectRequest) {
    this.#engine = engine
    this.#request = request
  }

  /** @param loaded an engine that has the model already */
  static async load(request: SubjectRequest, loaded: Wllama | null): Promise<WllamaSubject> {
    const { modelUrl, threads, contextLength } = request
    const engine = loaded ?? (await loadWllama(await fetchBlob(modelUrl), threads, contextLength))
    return new WllamaSubject(engine, request)
  }

  async prefill(count: number): Promise<number> {
    const { promptMs } = await this.#complete(count, 1, false)
    return promptMs
  }

  async decode(context: number, count: number): Promise<number> {
    const { decodeMs } = await this.#complete(context, count + 1, true)
    return decodeMs
  }

  async describe(): Promise<Record<string, unknown>> {
    const { n_ctx, n_batch, n_ubatch } = this.#engine.getLoadedContextInfo()
    return {
      llamaCpp: Wllama.getLibllamaVersion(),
      threads: this.#engine.getNumThreads(),
      multiThreaded: this.#engine.isMultithread(),
      contextLength: n_ctx,
      batch: n_batch,
      microBatch: n_ubatch,
      flashAttention: 'auto (on for this model)',
      cacheType: 'f16',
    }
  }

  async dispose(): Promise<void> {
    await this.#engine.exit()
  }

  async #complete(context: number, newTokens: number, useCache: boolean): Promise<CompletionTimes> {
    const times = await complete(
      this.#engine,
      this.#request.prompt.words.slice(0, context).join(''),
      newTokens,
      useCache,
    )
    if (times.promptTokens !== context || times.newTokens !== newTokens) {
      throw new Error(
        `wllama evaluated ${times.promptTokens} + ${times.newTokens} tokens, wanted ${context} + ${newTokens}`,
      )
    }
    return times
  }
}

async function loadWllama(model: Blob, threads: number, contextLength: number): Promise<Wllama> {
  const engine = new Wllama({ default: WASM_URL }, { suppressNativeLog: true })
  await engine.loadModel([model], {
    n_threads: threads,
    n_ctx: contextLength,
    n_batch: 512,
    n_ubatch: 512,
    // One sequence: all of the cache and no bookkeeping for the others.
    n_parallel: 1,
    // The CPU only, also where there is WebGPU.
    n_gpu_layers: 0,
    flash_attn: true,
  })
  if (engine.getNumThreads() !== threads)
    throw new Error(`wllama runs ${engine.getNumThreads()} threads, wanted ${threads}`)
  return engine
}

async function complete(
  engine: Wllama,
  prompt: string,
  newTokens: number,
  useCache: boolean,
): Promise<CompletionTimes> {
  // llama-server's fields beyond those wllama declares.
  const serverOptions = { cache_prompt: useCache, timings_per_token: true, return_tokens: false }
  let last: RawCompletionChunk | undefined
  const stream = await engine.createCompletion({
    prompt,
    max_tokens: newTokens,
    temperature: 0,
    ignore_eos: true,
    stream: true,
    ...serverOptions,
  })
  for await (const chunk of stream) last = chunk
  const timings = last?.timings
  if (timings === undefined) throw new Error('wllama gave no timings')
  return {
    promptMs: timings.prompt_ms,
    decodeMs: timings.predicted_ms,
    promptTokens: timings.prompt_n + timings.cache_n,
    newTokens: timings.predicted_n,
  }
}

/** From bytes in a Blob to the first piece of the answer, through the chat interface an application would use. */
export async function timeWllamaLoad(
  model: Blob,
  threads: number,
  messages: readonly ChatMessage[],
): Promise<{ times: LoadTimes; engine: Wllama }> {
  const start = performance.now()
  const engine = await loadWllama(model, threads, 1280)
  const loaded = performance.now()
  const serverOptions = { timings_per_token: true }
  const stream = await engine.createChatCompletion({
    messages: [...messages],
    max_tokens: 4,
    temperature: 0,
    stream: true,
    ...serverOptions,
  })
  let first = 0
  let promptTokens = 0
  for await (const chunk of stream) {
    promptTokens = chunk.timings?.prompt_n ?? promptTokens
    if (first === 0 && (chunk.choices[0]?.delta.content ?? '') !== '') first = performance.now()
  }
  if (first === 0) throw new Error('wllama answered nothing')
  return { times: { loadMs: loaded - start, firstTokenMs: first - loaded, promptTokens }, engine }
}

export async function fetchBlob(url: string): Promise<Blob> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return response.blob()
}
