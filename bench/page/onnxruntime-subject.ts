import { wrap, type Remote } from 'comlink'
import type { GpuWork } from './gpu-work'
import type { OnnxRuntimeWorker } from './onnxruntime-worker'
import type { Subject, SubjectRequest } from './subject'

/** onnxruntime-web by token ids, in a worker of the benchmark's own. */
export class OnnxRuntimeSubject implements Subject {
  readonly #worker: Worker
  readonly #remote: Remote<OnnxRuntimeWorker>

  private constructor(worker: Worker) {
    this.#worker = worker
    this.#remote = wrap<OnnxRuntimeWorker>(worker)
  }

  static async load(request: SubjectRequest): Promise<OnnxRuntimeSubject> {
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

  choices(tokens: readonly number[], from: number): Promise<number[]> {
    return this.#remote.choices(tokens, from)
  }

  prefill(count: number): Promise<number> {
    return this.#remote.prefill(count)
  }

  decode(context: number, count: number): Promise<number> {
    return this.#remote.decode(context, count)
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
