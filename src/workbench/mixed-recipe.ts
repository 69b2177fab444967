import { EngineError } from '../contract/error'
import { sizeInBytes } from '../gguf/block-layout'
import { isEmbedding } from '../gguf/quantization-plan'
import type { GgufTensor } from '../gguf/types'

/** From the smallest to the largest. */
export const MIXED_TYPES = ['Q4_0', 'Q4_1', 'Q8_0'] as const
export type MixedType = (typeof MIXED_TYPES)[number]

/** Matrices of one kind in neighbouring layers, which get the same type. */
export interface TensorGroup {
  /** For instance 'ffn_down, layers 0 to 4'. */
  readonly name: string
  readonly tensors: readonly GgufTensor[]
}

/** How much a group's types change what the model says; any measure, larger is worse. */
export type Damage = Readonly<Record<MixedType, number>>

/** Each kind of matrix in `bands` bands of layers; the embedding and the head are groups of their own. */
export function groupTensors(tensors: readonly GgufTensor[], bands: number): TensorGroup[] {
  const layerOf = ({ name }: GgufTensor): number => Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1)
  const layers = Math.max(0, ...tensors.map(layerOf)) + 1
  const perBand = Math.max(1, Math.ceil(layers / bands))
  const groups = new Map<string, GgufTensor[]>()
  for (const tensor of tensors) {
    const layer = layerOf(tensor)
    const kind = tensor.name.replace(/^blk\.\d+\./, '').replace(/\.weight$/, '')
    const start = Math.floor(layer / perBand) * perBand
    const end = Math.min(layers, start + perBand) - 1
    const name =
      layer < 0 || isEmbedding(tensor) ? kind : `${kind}, layers ${start}${end > start ? ` to ${end}` : ''}`
    groups.set(name, [...(groups.get(name) ?? []), tensor])
  }
  return [...groups].map(([name, members]) => ({ name, tensors: members }))
}

/** Bytes of a group's tensors in a type. */
export function groupBytes({ tensors }: TensorGroup, type: MixedType): number {
  return tensors.reduce(
    (sum, { shape }) =>
      sum +
      sizeInBytes(
        type,
        shape.reduce((product, length) => product * length, 1),
      ),
    0,
  )
}

/**
 * Starts with the smallest type everywhere, and takes the step up that saves most damage a byte until none fits: best
 * where damages add up, which is measured afterwards.
 * @param maxBytes of all groups together
 * @throws EngineError 'invalid-argument' where even the smallest types need more
 */
export function chooseTypes(
  groups: readonly { readonly group: TensorGroup; readonly damage: Damage }[],
  maxBytes: number,
): Map<TensorGroup, MixedType> {
  const chosen = new Map<TensorGroup, MixedType>(groups.map(({ group }) => [group, 'Q4_0']))
  let bytes = groups.reduce((sum, { group }) => sum + groupBytes(group, 'Q4_0'), 0)
  if (bytes > maxBytes) {
    throw new EngineError(
      'invalid-argument',
      `The matrices take ${bytes} bytes in Q4_0, the smallest type; --max-bytes leaves ${maxBytes} for them.`,
      { details: { neededBytes: bytes, maxBytes } },
    )
  }
  for (;;) {
    let best: { group: TensorGroup; type: MixedType; more: number; gain: number } | null = null
    for (const { group, damage } of groups) {
      const now = chosen.get(group)!
      for (const type of MIXED_TYPES) {
        const more = groupBytes(group, type) - groupBytes(group, now)
        const gain = (damage[now] - damage[type]) / more
        if (more > 0 && bytes + more <= maxBytes && gain > (best?.gain ?? 0))
          best = { group, type, more, gain }
      }
    }
    if (best === null) return chosen
    chosen.set(best.group, best.type)
    bytes += best.more
  }
}
