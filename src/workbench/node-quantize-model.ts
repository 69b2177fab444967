import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ByteSource } from '../contract/bytes'
import { EngineError } from '../contract/error'
import { ConvertedGguf } from '../gguf/converted-gguf'
import { parseGguf } from '../gguf/parse'
import { fittingType, isEmbedding, quantizableTensors, quantizationMetadata } from '../gguf/quantization-plan'
import type { QuantizableType } from '../gguf/quantize'
import type { Gguf } from '../gguf/types'
import { createTokenizer } from '../tokenizer/tokenizer'
import { chooseTypes, groupBytes, groupTensors, type Damage, type MixedType } from './mixed-recipe'
import { allowRelaxedSimd, openModelBytes } from './node-open-model'
import { writeGgufFile, type TensorChange } from './node-write-gguf'
import { DivergenceMeter, measureDamages } from './sensitivity'

/** Of a tensor's data, in bytes: what padding may add to each. */
const MOST_PADDING = 32

export interface QuantizeOptions {
  /** Of the matrices. 'mixed' chooses among Q4_0, Q4_1 and Q8_0 by what each does to the model. */
  type: QuantizableType | 'mixed'
  /** Of the embedding and the head, but for 'mixed'. Default 'Q8_0' with 4 bits, else as `type`. */
  embeddingType?: QuantizableType | undefined
  /** Of the whole file. Default with 'mixed': what Q4_1 with an embedding of Q8_0 takes; else none. */
  maxBytes?: number | undefined
  /** What 'mixed' measures with. */
  measure?: { text: string; tokens: number; bands: number; threads?: number | undefined } | undefined
  /** Replace a file that exists. Default false. */
  force?: boolean
  signal?: AbortSignal | undefined
  onProgress?: (what: 'measuring' | 'writing', done: number, total: number) => void
}

export interface MixedReport {
  readonly groups: readonly { name: string; type: MixedType; damage: Damage }[]
  readonly tokens: number
  /** Mean Kullback-Leibler divergence from the source on those tokens, in nats. */
  readonly divergence: number
  /** The same with one type throughout, and the embedding in Q8_0, for comparison. */
  readonly uniform: readonly { type: MixedType; sizeBytes: number; divergence: number }[]
}

export interface QuantizeReport {
  readonly sizeBytesBefore: number
  readonly sizeBytesAfter: number
  readonly tensors: readonly TensorChange[]
  /** Tensors that were quantised before: their new weights lie further from the original than the errors say. */
  readonly requantised: number
  readonly mixed: MixedReport | null
}

/**
 * Writes a GGUF file with its matrices in other types. Neither file is ever held: a piece of a tensor is.
 * @param from a GGUF file, or a folder with a manifest
 * @throws EngineError 'invalid-argument' where `to` exists or the size limit can't be kept, 'storage-full'
 */
export async function quantizeModelFile(
  from: string,
  to: string,
  options: QuantizeOptions,
): Promise<QuantizeReport> {
  const { force = false, maxBytes, signal, onProgress } = options
  if (resolve(from) === resolve(to)) throw invalid(`${to} is the file that is read. Name another.`)
  if (!force && (await stat(to).catch(() => null)) !== null) {
    throw invalid(`${to} exists. Give --force to replace it, or another name.`)
  }
  const { source } = await openModelBytes(from, signal)
  try {
    const gguf = await parseGguf(source, { signal })
    const plan =
      options.type === 'mixed' ? await mixedPlan(source, gguf, options) : uniformPlan(gguf, options)
    const converted = await ConvertedGguf.of(
      source,
      gguf,
      { types: plan.types, metadata: quantizationMetadata(plan.main) },
      { signal },
    )
    if (maxBytes !== undefined && converted.sizeBytes > maxBytes) {
      throw invalid(
        `${plan.main} makes ${converted.sizeBytes} bytes; --max-bytes is ${maxBytes}. Take a smaller type, or "mixed".`,
      )
    }
    const tensors = await writeGgufFile(to, converted, {
      before: gguf.tensors,
      signal,
      onProgress: (done, total) => onProgress?.('writing', done, total),
    })
    const isQuantised = (type: string): boolean => !/^B?F\d+$/.test(type)
    return {
      sizeBytesBefore: source.sizeBytes,
      sizeBytesAfter: converted.sizeBytes,
      tensors,
      requantised: tensors.filter((tensor) => tensor.from !== tensor.to && isQuantised(tensor.from)).length,
      mixed: plan.mixed,
    }
  } finally {
    await source.close()
  }
}

interface Plan {
  readonly types: ReadonlyMap<string, QuantizableType>
  /** What the file is called after. */
  readonly main: QuantizableType
  readonly mixed: MixedReport | null
}

function uniformPlan(gguf: Gguf, { type, embeddingType }: QuantizeOptions): Plan {
  const main = type === 'mixed' ? 'Q4_1' : type
  const embedding = embeddingType ?? (main.startsWith('Q4') ? 'Q8_0' : main)
  return { types: uniformTypes(gguf, main, embedding), main, mixed: null }
}

function uniformTypes(
  gguf: Gguf,
  type: QuantizableType,
  embedding: QuantizableType,
): Map<string, QuantizableType> {
  return new Map(
    quantizableTensors(gguf).map((tensor) => [
      tensor.name,
      fittingType(tensor, isEmbedding(tensor) ? embedding : type),
    ]),
  )
}

async function mixedPlan(
  source: ByteSource,
  gguf: Gguf,
  { maxBytes, measure, signal, onProgress }: QuantizeOptions,
): Promise<Plan> {
  if (measure === undefined) throw invalid('"mixed" measures with a text: give one.')
  const tokens = createTokenizer(gguf).encode(measure.text).slice(0, measure.tokens)
  if (tokens.length < 32) {
    throw invalid(`"mixed" measures with 32 tokens or more; the text has ${tokens.length}.`)
  }
  const sizeOf = async (types: ReadonlyMap<string, QuantizableType>): Promise<number> => {
    const metadata = quantizationMetadata('Q4_1')
    return (await ConvertedGguf.of(source, gguf, { types, metadata }, { signal })).sizeBytes
  }
  const all = quantizableTensors(gguf)
  const fitting = all.filter((tensor) => fittingType(tensor, 'Q4_0') === 'Q4_0')
  const groups = groupTensors(fitting, measure.bands)
  const smallest = uniformTypes(gguf, 'Q4_0', 'Q4_0')
  const others = (await sizeOf(smallest)) - groups.reduce((sum, group) => sum + groupBytes(group, 'Q4_0'), 0)
  const limit = maxBytes ?? (await sizeOf(uniformTypes(gguf, 'Q4_1', 'Q8_0')))
  allowRelaxedSimd()
  const meter = await DivergenceMeter.of(source, gguf, tokens, { threads: measure.threads, signal })
  const damages = await measureDamages(meter, groups, (done, total) => onProgress?.('measuring', done, total))
  const chosen = chooseTypes(damages, limit - others - MOST_PADDING * fitting.length)
  const types = new Map(smallest)
  for (const [{ tensors }, type] of chosen) for (const { name } of tensors) types.set(name, type)
  const uniform = []
  for (const type of ['Q4_0', 'Q4_1'] as const) {
    const same = uniformTypes(gguf, type, 'Q8_0')
    uniform.push({ type, sizeBytes: await sizeOf(same), divergence: await meter.divergence(same) })
  }
  return {
    types,
    main: 'Q4_1',
    mixed: {
      groups: damages.map(({ group, damage }) => ({ name: group.name, type: chosen.get(group)!, damage })),
      tokens: tokens.length,
      divergence: await meter.divergence(types),
      uniform,
    },
  }
}

function invalid(message: string): EngineError {
  return new EngineError('invalid-argument', message)
}
