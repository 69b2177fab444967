import type * as OnnxRuntime from 'onnxruntime-web'

/** Keys and values of a sequence. Never changed: a step makes a new one. */
export interface Cache {
  readonly length: number
  readonly tensors: Readonly<Record<string, OnnxRuntime.Tensor>>
}

/** Runs a model that `bench/onnx` wrote, in any build of onnxruntime-web, which comes from outside. */
export class OnnxRuntimeSession {
  readonly #ort: typeof OnnxRuntime
  readonly #session: OnnxRuntime.InferenceSession

  private constructor(ort: typeof OnnxRuntime, session: OnnxRuntime.InferenceSession) {
    this.#ort = ort
    this.#session = session
  }

  static async create(
    ort: typeof OnnxRuntime,
    model: Uint8Array,
    provider: 'wasm' | 'webgpu',
  ): Promise<OnnxRuntimeSession> {
    const session = await ort.InferenceSession.create(model, {
      executionProviders: [provider],
      graphOptimizationLevel: 'all',
      // The cache stays where it is made.
      ...(provider === 'webgpu' ? { preferredOutputLocation: 'gpu-buffer' as const } : {}),
      logSeverityLevel: 3,
    })
    return new OnnxRuntimeSession(ort, session)
  }

  empty(): Cache {
    const tensors: Record<string, OnnxRuntime.Tensor> = {}
    for (const input of this.#session.inputMetadata) {
      if (!input.isTensor || !input.name.startsWith('past_')) continue
      const shape = input.shape.map((length) => (typeof length === 'number' ? length : 0))
      tensors[input.name] = new this.#ort.Tensor('float32', new Float32Array(0), shape)
    }
    return { length: 0, tensors }
  }

  /**
   * @param wanted which of `tokens` (by index) to give logits of
   * @returns the longer cache and the logits: (wanted, vocabulary)
   */
  async append(
    { length, tensors }: Cache,
    tokens: readonly number[],
    wanted: readonly number[] = [tokens.length - 1],
  ): Promise<{ cache: Cache; logits: Float32Array }> {
    const total = length + tokens.length
    const results = await this.#session.run({
      ...tensors,
      input_ids: this.#integers(tokens, [1, tokens.length]),
      logits_at: this.#integers(wanted, [wanted.length]),
      seqlens_k: this.#integers([total - 1], [1]),
      total_sequence_length: this.#integers([total], [1]),
    })
    const present: Record<string, OnnxRuntime.Tensor> = {}
    for (const [name, tensor] of Object.entries(results)) {
      if (name.startsWith('present_')) present[name.replace('present_', 'past_')] = tensor
    }
    const logits = await results['logits']?.getData(true)
    if (!(logits instanceof Float32Array)) throw new Error('No logits came out')
    return { cache: { length: total, tensors: present }, logits }
  }

  #integers(values: readonly number[], shape: readonly number[]): OnnxRuntime.Tensor {
    return new this.#ort.Tensor('int32', Int32Array.from(values), shape)
  }
}

/** Frees what a GPU holds of it. */
export function release({ tensors }: Cache): void {
  for (const tensor of Object.values(tensors)) tensor.dispose()
}
