import type { Wllama } from '@wllama/wllama'
import { createEngine, type Engine } from '../../src/index'
import {
  answer,
  MinnowSubject,
  timeMinnowLoad,
  together,
  type AnswerFigures,
  type TogetherFigures,
} from './minnow-subject'
import type { GpuWork } from './gpu-work'
import { OnnxRuntimeSubject } from './onnxruntime-subject'
import type { ChatMessage, LoadTimes, Subject, SubjectRequest } from './subject'
import { fetchBlob, timeWllamaLoad, WllamaSubject } from './wllama-subject'

/** What the benchmark calls in the page; one page holds one subject or one engine. */
const pageApi = {
  isolated: (): boolean => globalThis.crossOriginIsolated,

  async open(request: SubjectRequest): Promise<Record<string, unknown>> {
    subject = await openSubject(request)
    return subject.describe()
  },
  prefill: (count: number): Promise<number> => opened().prefill(count),
  decode: (context: number, count: number): Promise<number> => opened().decode(context, count),
  async choices(tokens: readonly number[], from: number): Promise<number[]> {
    const choices = await opened().choices?.(tokens, from)
    if (choices === undefined) throw new Error('This engine takes no token ids')
    return choices
  },
  async gpuWork(): Promise<GpuWork> {
    const work = await opened().gpuWork?.()
    if (work === undefined) throw new Error('This engine is not run on the GPU here')
    return work
  },
  /** What the browser says of its GPU; null where it has no WebGPU. */
  async adapter(): Promise<Record<string, unknown> | null> {
    const adapter = await navigator.gpu?.requestAdapter()
    if (adapter === undefined || adapter === null) return null
    const { vendor, architecture, device, description } = adapter.info
    return { vendor, architecture, device, description, features: [...adapter.features] }
  },

  /** Fetches the model into a Blob, so that loading can be timed from bytes that are here. */
  async fetchModel(url: string): Promise<number> {
    model = await fetchBlob(url)
    return model.size
  },
  /** The engine stays, for what is measured next, until one of its kind is loaded again. */
  async timeLoad(
    kind: 'minnow' | 'wllama',
    threads: number,
    messages: readonly ChatMessage[],
  ): Promise<LoadTimes> {
    if (model === null) throw new Error('fetchModel() comes first')
    if (kind === 'minnow') {
      await engine?.dispose()
      const loaded = await timeMinnowLoad(model, threads, messages)
      engine = loaded.engine
      return loaded.times
    }
    await wllama?.exit()
    const loaded = await timeWllamaLoad(model, threads, messages)
    wllama = loaded.engine
    return loaded.times
  },

  async openEngine(modelUrl: string, threads: number): Promise<Engine['info']> {
    engine = await createEngine({ model: modelUrl, threads, parallel: 8 })
    return engine.info
  },
  async answer(question: string, maxTokens: number, promptLookup: boolean): Promise<AnswerFigures> {
    if (engine === null) throw new Error('openEngine() comes first')
    return answer(engine, question, maxTokens, promptLookup)
  },
  async together(question: string, count: number, maxTokens: number): Promise<TogetherFigures> {
    if (engine === null) throw new Error('openEngine() comes first')
    return together(engine, question, count, maxTokens)
  },
}

export type PageApi = typeof pageApi

declare global {
  var bench: PageApi
}

let subject: Subject | null = null
let engine: Engine | null = null
/** As `timeLoad` left it. */
let wllama: Wllama | null = null
let model: Blob | null = null

async function openSubject(request: SubjectRequest): Promise<Subject> {
  if (request.kind === 'wllama') return WllamaSubject.load(request, wllama)
  if (request.kind === 'onnxruntime') return OnnxRuntimeSubject.load(request)
  return MinnowSubject.load(request)
}

function opened(): Subject {
  if (subject === null) throw new Error('open() comes first')
  return subject
}

globalThis.bench = pageApi
