import type { Wllama } from '@wllama/wllama'
import { createEngine, type BackendPreference } from '../../src/index'

/** One answer, as the page's clock saw it. */
export interface AnswerTimes {
  readonly text: string
  readonly promptTokens: number
  readonly newTokens: number
  /** From the call to the first text. */
  readonly firstTokenMs: number
  /** From the first text to the last. */
  readonly restMs: number
}

export interface OpenSubject {
  /** What runs, for instance the backend and the threads. */
  readonly description: string
  answer(question: string, maxTokens: number, signal: AbortSignal): Promise<AnswerTimes>
  dispose(): Promise<void>
}

/** An engine that can be ticked. */
export interface BenchSubject {
  readonly id: string
  readonly name: string
  /** What is loaded, and from where. */
  readonly note: string
  readonly isOurs: boolean
  /** Why it can't run here; null: it may. */
  missing(): string | null
  open(signal: AbortSignal): Promise<OpenSubject>
}

const MODEL_URL = new URL('./models/smollm2-135m-instruct-q4_1/manifest.json', document.baseURI).href
/** Of the versions this page was written for. */
const WLLAMA = 'https://cdn.jsdelivr.net/npm/@wllama/wllama@3.8.1/esm'
const TRANSFORMERS = 'https://cdn.jsdelivr.net/npm/@huggingface/transformers@4.3.1/+esm'
const WEB_LLM = 'https://cdn.jsdelivr.net/npm/@mlc-ai/web-llm@0.2.86/+esm'
const CONTEXT_LENGTH = 1024

const hasGpu = (): boolean => 'gpu' in navigator

export const subjects: readonly BenchSubject[] = [
  minnow('wasm', 'Minnow, WebAssembly', 'The embedded model (SmolLM2-135M, Q4_1), from this site.'),
  minnow('webgpu', 'Minnow, WebGPU', 'The same file, on the GPU.'),
  {
    id: 'wllama',
    name: 'wllama',
    note: 'llama.cpp in WebAssembly from cdn.jsdelivr.net (9 MB), with the same file.',
    isOurs: false,
    missing: () => null,
    open: openWllama,
  },
  {
    id: 'transformers-wasm',
    name: 'transformers.js, WebAssembly',
    note: 'From cdn.jsdelivr.net, with its 4-bit ONNX of SmolLM2-135M from huggingface.co (about 180 MB).',
    isOurs: false,
    missing: () => null,
    open: () => openTransformers('wasm'),
  },
  {
    id: 'transformers-webgpu',
    name: 'transformers.js, WebGPU',
    note: 'The same on the GPU.',
    isOurs: false,
    missing: () => (hasGpu() ? null : 'This browser has no WebGPU.'),
    open: () => openTransformers('webgpu'),
  },
  {
    id: 'web-llm',
    name: 'WebLLM',
    note: 'From cdn.jsdelivr.net, with its SmolLM2-135M (16 bit) from huggingface.co (about 270 MB).',
    isOurs: false,
    missing: () => (hasGpu() ? null : 'This browser has no WebGPU.'),
    open: openWebLlm,
  },
]

function minnow(backend: BackendPreference, name: string, note: string): BenchSubject {
  return {
    id: `minnow-${backend}`,
    name,
    note,
    isOurs: true,
    missing: () => (backend === 'webgpu' && !hasGpu() ? 'This browser has no WebGPU.' : null),
    async open(signal) {
      const engine = await createEngine({ model: MODEL_URL, backend, contextLength: CONTEXT_LENGTH, signal })
      const { variant, threads, backendReason = '' } = engine.info
      return {
        description: `${variant}, ${threads} ${threads === 1 ? 'thread' : 'threads'}. ${backendReason}`,
        async answer(question, maxTokens, abort) {
          const clock = createClock()
          const stream = await engine.chat.completions.create(
            {
              messages: messagesOf(question),
              max_tokens: maxTokens,
              temperature: 0,
              stream: true,
              stream_options: { include_usage: true },
            },
            { signal: abort },
          )
          let usage = { prompt_tokens: 0, completion_tokens: 0 }
          for await (const chunk of stream) {
            clock.add(chunk.choices[0]?.delta.content ?? '')
            usage = chunk.usage ?? usage
          }
          return clock.times(usage.prompt_tokens, usage.completion_tokens)
        },
        dispose: () => engine.dispose(),
      }
    },
  }
}

export function messagesOf(question: string): { role: 'user'; content: string }[] {
  return [{ role: 'user', content: question }]
}

async function openWllama(): Promise<OpenSubject> {
  const module = (await import(/* @vite-ignore */ `${WLLAMA}/index.js`)) as { Wllama: typeof Wllama }
  const engine = new module.Wllama({ default: `${WLLAMA}/wasm/wllama.wasm` }, { suppressNativeLog: true })
  await engine.loadModel([await embeddedModel()], { n_ctx: CONTEXT_LENGTH })
  return {
    description: `${engine.getNumThreads()} threads`,
    async answer(question, maxTokens, abort) {
      const clock = createClock()
      let newTokens = 0
      const stream = await engine.createChatCompletion({
        messages: messagesOf(question),
        max_tokens: maxTokens,
        temperature: 0,
        stream: true,
        abortSignal: abort,
      })
      for await (const chunk of stream) {
        const text = chunk.choices[0]?.delta.content ?? ''
        if (text !== '') newTokens++
        clock.add(text)
      }
      return clock.times(0, newTokens)
    },
    dispose: () => engine.exit(),
  }
}

/** The chunks of the embedded model as one file. */
async function embeddedModel(): Promise<Blob> {
  const manifest = (await (await fetch(MODEL_URL)).json()) as { chunks: { file: string }[] }
  const parts = await Promise.all(
    manifest.chunks.map(async ({ file }) => (await fetch(new URL(file, MODEL_URL))).blob()),
  )
  return new Blob(parts)
}

/** The little of transformers.js that is used. */
interface Transformers {
  pipeline(
    task: 'text-generation',
    model: string,
    options: { dtype: string; device: string },
  ): Promise<TextGenerator>
  TextStreamer: new (
    tokenizer: unknown,
    options: {
      skip_prompt: boolean
      callback_function(text: string): void
      token_callback_function(tokens: bigint[]): void
    },
  ) => object
}

interface TextGenerator {
  (messages: unknown, options: object): Promise<unknown>
  tokenizer: unknown
  dispose(): Promise<void>
}

async function openTransformers(device: 'wasm' | 'webgpu'): Promise<OpenSubject> {
  const { pipeline, TextStreamer } = (await import(/* @vite-ignore */ TRANSFORMERS)) as Transformers
  const generator = await pipeline('text-generation', 'HuggingFaceTB/SmolLM2-135M-Instruct', {
    dtype: 'q4',
    device,
  })
  return {
    description: `q4 on ${device}`,
    async answer(question, maxTokens) {
      const clock = createClock()
      let newTokens = 0
      const streamer = new TextStreamer(generator.tokenizer, {
        skip_prompt: true,
        callback_function: (text) => clock.add(text),
        token_callback_function: (tokens) => (newTokens += tokens.length),
      })
      await generator(messagesOf(question), { max_new_tokens: maxTokens, do_sample: false, streamer })
      return clock.times(0, newTokens)
    },
    dispose: () => generator.dispose(),
  }
}

/** The little of WebLLM that is used. */
interface WebLlm {
  CreateMLCEngine(model: string): Promise<{
    chat: {
      completions: {
        create(request: object): Promise<
          AsyncIterable<{
            choices: { delta: { content?: string } }[]
            usage?: { prompt_tokens: number; completion_tokens: number }
          }>
        >
      }
    }
    unload(): Promise<void>
  }>
}

async function openWebLlm(): Promise<OpenSubject> {
  const { CreateMLCEngine } = (await import(/* @vite-ignore */ WEB_LLM)) as WebLlm
  const engine = await CreateMLCEngine('SmolLM2-135M-Instruct-q0f16-MLC')
  return {
    description: 'q0f16',
    async answer(question, maxTokens) {
      const clock = createClock()
      let usage = { prompt_tokens: 0, completion_tokens: 0 }
      const stream = await engine.chat.completions.create({
        messages: messagesOf(question),
        max_tokens: maxTokens,
        temperature: 0,
        stream: true,
        stream_options: { include_usage: true },
      })
      for await (const chunk of stream) {
        clock.add(chunk.choices[0]?.delta.content ?? '')
        usage = chunk.usage ?? usage
      }
      return clock.times(usage.prompt_tokens, usage.completion_tokens)
    },
    dispose: () => engine.unload(),
  }
}

/** Notes when text comes. */
function createClock() {
  const start = performance.now()
  let first: number | null = null
  let last = start
  let all = ''
  return {
    add(text: string): void {
      if (text === '') return
      last = performance.now()
      first ??= last
      all += text
    },
    times(promptTokens: number, newTokens: number): AnswerTimes {
      if (first === null) throw new Error('It answered nothing.')
      return { text: all, promptTokens, newTokens, firstTokenMs: first - start, restMs: last - first }
    },
  }
}
