import { wrap, type Remote } from 'comlink'
import type { OnnxRuntimeRequest, OnnxRuntimeWorker } from './onnxruntime-worker'
import type { Subject } from './subject'

/** onnxruntime-web by token ids, in a worker of the benchmark's own. */
export class OnnxRuntimeSubject implements Subject {
  readonly #worker: Worker
  readonly #remote: Remote<OnnxRuntimeWorker>

  private constructor(worker: Worker) {
    this.#worker = worker
    this.#remote = wrap<OnnxRuntimeWorker>(worker)
  }

  static async load(request: OnnxRuntimeRequest): Promise<OnnxRuntimeSubject> {
    const worker = new Worker(new URL('./onnxruntime-worker.ts', import.meta.url), { type: 'module' })
    const subject = new OnnxRuntimeSubject(worker)
    const failed = new Promise<never>((_, reject) => {
      worker.addEventListener('error', (event) =>
        reject(new Error(`onnxruntime-web's worker: ${event.message}`)),
      )
    })
    await Promise.race([subject.#remote.load(request), failed])
    return subject
  }

  /** The likeliest token after each of `tokens` from `from` on. */
  choices(tokens: readonly number[], from: number): Promise<number[]> {
    return this.#remote.choices(tokens, from)
  }

  prefill(count: number): Promise<number> {
    return this.#remote.prefill(count)
  }

  decode(context: number, count: number): Promise<number> {
    return this.#remote.decode(context, count)
  }

  describe(): Promise<Record<string, unknown>> {
    return this.#remote.describe()
  }

  async dispose(): Promise<void> {
    this.#worker.terminate()
  }
}
