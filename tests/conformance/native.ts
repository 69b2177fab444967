import { getLlama, LlamaLogLevel } from 'node-llama-cpp'
import type {
  ControlledEvaluateInputItem,
  Llama,
  LlamaContextSequence,
  LlamaModel,
  Token,
} from 'node-llama-cpp'

/** llama.cpp on the CPU, by node-llama-cpp's prebuilt library: what our backends must agree with. */
export interface NativeModel {
  readonly vocabularySize: number
  /** Ids of plain text; special tokens in it are not recognised. Without a beginning-of-sequence token. */
  tokenize(text: string): number[]
  detokenize(tokens: readonly number[]): string
  /**
   * Log-probabilities (natural) of what follows each token from `from` on, with an empty context before the first.
   * (tokens.length − from) rows of (vocabularySize). A probability below what a float can hold gives −Infinity.
   */
  logprobs(tokens: readonly number[], options?: { from?: number }): Promise<Float32Array[]>
  /** Continuation of `tokens` by `count` more; temperature 0 (default) is greedy. */
  continue(
    tokens: readonly number[],
    count: number,
    options?: { temperature?: number; seed?: number },
  ): Promise<number[]>
  dispose(): Promise<void>
}

/** Once a process: node-llama-cpp starts a second process to try the library out, which takes seconds. */
let library: Promise<Llama> | undefined

export interface NativeOptions {
  threads?: number
  contextLength?: number
}

/**
 * Flash attention is off: with it, llama.cpp's CPU code accumulates values in half precision.
 * The KV cache is F16, llama.cpp's default.
 */
export async function loadNative(
  path: string,
  { threads = 1, contextLength = 512 }: NativeOptions = {},
): Promise<NativeModel> {
  library ??= getLlama({
    gpu: false,
    build: 'never',
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
    maxThreads: 0,
  })
  const llama = await library
  const model: LlamaModel = await llama.loadModel({ modelPath: path })
  const context = await model.createContext({
    contextSize: contextLength,
    batchSize: contextLength,
    threads: { ideal: threads, min: threads },
    flashAttention: false,
    swaFullCache: true,
  })
  const sequence: LlamaContextSequence = context.getSequence()
  const vocabularySize = model.fileInfo.metadata.tokenizer.ggml.tokens.length

  const evaluate = async (tokens: readonly number[], from: number): Promise<Float32Array[]> => {
    const input = tokens.map((token, i): ControlledEvaluateInputItem =>
      i < from
        ? toToken(token)
        : [toToken(token), { generateNext: { probabilities: true, options: { temperature: 0 } } }],
    )
    const results = await sequence.controlledEvaluate(input)
    const rows: Float32Array[] = []
    for (let i = from; i < tokens.length; i++) {
      const probabilities = results[i]?.next.probabilities
      if (probabilities?.size !== vocabularySize) {
        throw new Error(`llama.cpp gave ${probabilities?.size ?? 'no'} probabilities after token ${i}`)
      }
      const row = new Float32Array(vocabularySize)
      for (const [token, probability] of probabilities) row[token] = Math.log(probability)
      rows.push(row)
    }
    return rows
  }

  return {
    vocabularySize,
    tokenize: (text) => [...model.tokenize(text, false)],
    detokenize: (tokens) => model.detokenize(tokens.map(toToken), true),
    async logprobs(tokens, { from = 0 } = {}) {
      await sequence.clearHistory()
      return evaluate(tokens, from)
    },
    async continue(tokens, count, { temperature = 0, seed = 0 } = {}) {
      await sequence.clearHistory()
      const answer: number[] = []
      let pending = [...tokens]
      while (answer.length < count) {
        const input = pending.map((token, i): ControlledEvaluateInputItem =>
          i < pending.length - 1
            ? toToken(token)
            : [
                toToken(token),
                { generateNext: { token: true, options: { temperature, seed: seed + answer.length } } },
              ],
        )
        const next = (await sequence.controlledEvaluate(input)).at(-1)?.next.token
        if (next === undefined || next === null) throw new Error('llama.cpp gave no next token')
        answer.push(next)
        pending = [next]
      }
      return answer
    },
    async dispose() {
      await context.dispose()
      await model.dispose()
    },
  }
}

function toToken(id: number): Token {
  if (!isToken(id)) throw new Error(`${id} is no token id.`)
  return id
}

function isToken(id: number): id is Token {
  return Number.isInteger(id) && id >= 0
}
