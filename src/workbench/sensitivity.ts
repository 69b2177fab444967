import { loadWasm } from '../backend/wasm'
import type { ByteSource } from '../contract/bytes'
import { macrotaskYield } from '../engine/macrotask'
import { ConvertedGguf } from '../gguf/converted-gguf'
import { parseGguf } from '../gguf/parse'
import type { QuantizableType } from '../gguf/quantize'
import type { Gguf } from '../gguf/types'
import { readModel } from '../model/read-model'
import { MIXED_TYPES, type Damage, type MixedType, type TensorGroup } from './mixed-recipe'

export interface SensitivityOptions {
  threads?: number | undefined
  signal?: AbortSignal | undefined
  onProgress?: (done: number, total: number) => void
}

/** How far a model with other types of some tensors is from the model as it is: on some tokens, by what it expects next. */
export class DivergenceMeter {
  readonly #source: ByteSource
  readonly #gguf: Gguf
  readonly #tokens: readonly number[]
  readonly #options: SensitivityOptions
  /** (tokens, vocabulary) Log-probabilities of the model as it is. */
  readonly #expected: readonly Float32Array[]

  private constructor(
    source: ByteSource,
    gguf: Gguf,
    tokens: readonly number[],
    options: SensitivityOptions,
    expected: readonly Float32Array[],
  ) {
    this.#source = source
    this.#gguf = gguf
    this.#tokens = tokens
    this.#options = options
    this.#expected = expected
  }

  /** Reads the tokens once with the model as it is: four bytes are held for every token and entry of the vocabulary. */
  static async of(
    source: ByteSource,
    gguf: Gguf,
    tokens: readonly number[],
    options: SensitivityOptions = {},
  ): Promise<DivergenceMeter> {
    const expected: Float32Array[] = []
    await readRows(source, tokens, options, (row) => expected.push(row))
    return new DivergenceMeter(source, gguf, tokens, options, expected)
  }

  /** Mean Σ p ln(p / q) over the tokens, in nats: p is the model as it is, q the one with these types. */
  async divergence(types: ReadonlyMap<string, QuantizableType>): Promise<number> {
    const { signal } = this.#options
    const converted = await ConvertedGguf.of(this.#source, this.#gguf, { types }, { signal })
    let sum = 0
    await readRows(converted, this.#tokens, this.#options, (row, index) => {
      const expected = this.#expected[index]!
      for (let id = 0; id < row.length; id++) {
        const logprob = expected[id]!
        sum += Math.exp(logprob) * (logprob - row[id]!)
      }
    })
    return sum / this.#tokens.length
  }
}

/** What each type does when a group alone has it. 8 bits are measured for all groups at once, since each does too little. */
export async function measureDamages(
  meter: DivergenceMeter,
  groups: readonly TensorGroup[],
  onProgress?: (done: number, total: number) => void,
): Promise<{ group: TensorGroup; damage: Damage }[]> {
  const total = groups.length * (MIXED_TYPES.length - 1) + 1
  let done = 0
  const divergence = async (of: readonly TensorGroup[], type: MixedType): Promise<number> => {
    const types = new Map(of.flatMap(({ tensors }) => tensors.map(({ name }) => [name, type] as const)))
    const measured = await meter.divergence(types)
    onProgress?.(++done, total)
    return measured
  }
  const eightBits = (await divergence(groups, 'Q8_0')) / groups.length
  const damages = []
  for (const group of groups) {
    const damage = {
      Q4_0: await divergence([group], 'Q4_0'),
      Q4_1: await divergence([group], 'Q4_1'),
      Q8_0: eightBits,
    }
    damages.push({ group, damage })
  }
  return damages
}

async function readRows(
  source: ByteSource,
  tokens: readonly number[],
  { threads, signal }: SensitivityOptions,
  onRow: (logprobs: Float32Array, index: number) => void,
): Promise<void> {
  const gguf = await parseGguf(source, { signal })
  const model = await readModel(gguf, source, { signal })
  const backend = await loadWasm({ model, bytes: source, threads, signal })
  try {
    const session = backend.createSession({ contextLength: tokens.length })
    for (let at = 0; at < tokens.length; at += backend.maxBatch) {
      await macrotaskYield()()
      signal?.throwIfAborted()
      const batch = tokens.slice(at, at + backend.maxBatch)
      const rows = await session.forward(batch, { outputs: batch.length })
      rows.forEach((row, index) => {
        const { logSumExp } = row
        onRow(
          row.values().map((logit) => logit - logSumExp),
          at + index,
        )
      })
    }
  } finally {
    backend.dispose()
  }
}
