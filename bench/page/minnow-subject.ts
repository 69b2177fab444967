import { wrap, type Remote } from 'comlink'
import { createEngine, type Engine } from '../../src/index'
import type { GpuWork } from './gpu-work'
import type { MinnowWorker } from './minnow-worker'
import type { ChatMessage, LoadTimes, Subject, SubjectRequest } from './subject'

/** One of Minnow's backends by token ids, in a worker of the benchmark's own. */
export class MinnowSubject implements Subject {
  readonly #worker: Worker
  readonly #remote: Remote<MinnowWorker>

  private constructor(worker: Worker) {
    this.#worker = worker
    this.#remote = wrap<MinnowWorker>(worker)
  }

  static async load(request: SubjectRequest): Promise<MinnowSubject> {
    const { provider, threads } = request
    const worker = new Worker(new URL('./minnow-worker.ts', import.meta.url), { type: 'module' })
    const subject = new MinnowSubject(worker)
    const failed = new Promise<never>((_, reject) => {
      worker.addEventListener('error', (event) => reject(new Error(`Minnow's worker: ${event.message}`)))
    })
    await Promise.race([subject.#remote.load(request), failed])
    const described = await subject.describe()
    if (provider === 'wasm' && described['threads'] !== threads) {
      throw new Error(`Minnow runs ${String(described['threads'])} threads, wanted ${threads}`)
    }
    return subject
  }

  prefill(count: number): Promise<number> {
    return this.#remote.prefill(count)
  }

  decode(context: number, count: number): Promise<number> {
    return this.#remote.decode(context, count)
  }

  choices(tokens: readonly number[], from: number): Promise<number[]> {
    return this.#remote.choices(tokens, from)
  }

  gpuWork(): Promise<GpuWork> {
    return this.#remote.gpuWork()
  }

  describe(): Promise<Record<string, unknown>> {
    return this.#remote.describe()
  }

  async dispose(): Promise<void> {
    this.#worker.terminate()
  }
}

/** From bytes in a Blob to the first piece of the answer, through the public interface. */
export async function timeMinnowLoad(
  model: Blob,
  threads: number,
  messages: readonly ChatMessage[],
): Promise<{ times: LoadTimes; engine: Engine }> {
  const start = performance.now()
  const engine = await createEngine({ model, threads, parallel: 8 })
  const loaded = performance.now()
  const stream = await engine.chat.completions.create({
    messages,
    max_tokens: 4,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
  })
  let first = 0
  let promptTokens = 0
  for await (const chunk of stream) {
    promptTokens = chunk.usage?.prompt_tokens ?? promptTokens
    if (first === 0 && (chunk.choices[0]?.delta.content ?? '') !== '') first = performance.now()
  }
  if (first === 0) throw new Error('Minnow answered nothing')
  return { times: { loadMs: loaded - start, firstTokenMs: first - loaded, promptTokens }, engine }
}

export interface AnswerFigures {
  readonly text: string
  readonly newTokens: number
  readonly decodeMs: number
  readonly draftedTokens: number
  readonly acceptedTokens: number
}

export interface TogetherFigures {
  readonly texts: readonly string[]
  /** Of all answers together. */
  readonly newTokens: number
  readonly milliseconds: number
}

/** Several answers at temperature 0, at the same time. */
export async function together(
  engine: Engine,
  question: string,
  count: number,
  maxTokens: number,
): Promise<TogetherFigures> {
  const start = performance.now()
  const { choices, usage } = await engine.chat.completions.create({
    messages: [{ role: 'user', content: question }],
    n: count,
    max_tokens: maxTokens,
    temperature: 0,
    minnow: { promptLookup: false },
  })
  const milliseconds = performance.now() - start
  const texts = choices.map(({ message }) => message.content)
  return { texts, newTokens: usage.completion_tokens, milliseconds }
}

/** One answer at temperature 0, with or without prompt lookup. */
export async function answer(
  engine: Engine,
  question: string,
  maxTokens: number,
  promptLookup: boolean,
): Promise<AnswerFigures> {
  const completion = await engine.chat.completions.create({
    messages: [{ role: 'user', content: question }],
    max_tokens: maxTokens,
    temperature: 0,
    minnow: { promptLookup },
  })
  const { usage, choices } = completion
  return {
    text: choices[0]?.message.content ?? '',
    newTokens: usage.completion_tokens,
    decodeMs: usage.minnow.decodeMs,
    draftedTokens: usage.minnow.draftedTokens,
    acceptedTokens: usage.minnow.acceptedTokens,
  }
}
