import type { Arithmetic, MatmulTile } from './shaders/matmul'

/**
 * How the kernels are cut for a device.
 *
 *   serial     no barrier anywhere, one invocation a row group: software adapters run barriers 6 to 25 times slower
 *   workgroup  invocations share columns and keys through workgroup memory
 *   subgroup   the same with sums through subgroups, of whatever size
 *
 * '-f16' and '-i8' say what weights are multiplied in, where it is not f32 (shaders/matmul.ts).
 */
export interface Variant {
  readonly name: VariantName
  readonly decode: MatmulTile
  /** null: by tiles in workgroup memory (shaders/matmul-tiled.ts), in f32. */
  readonly batch: MatmulTile | null
  /** Tokens of one workgroup of attention in a batch; null: one invocation for each token and head. */
  readonly attentionTokens: number | null
  /** Runs the positions of a decode step are cut in. */
  readonly splits: number
}

type Cut = 'serial' | 'workgroup' | 'subgroup'
export type VariantName = Cut | `${Cut}-${'f16' | 'i8'}`

const cuts: Readonly<Record<Cut, Omit<Variant, 'name'>>> = {
  serial: {
    decode: { rows: 8, tokens: 1, slices: 1, groups: 4, unroll: true },
    batch: { rows: 4, tokens: 4, slices: 1, groups: 2 },
    attentionTokens: null,
    splits: 4,
  },
  workgroup: {
    decode: { rows: 2, tokens: 1, slices: 16, groups: 1 },
    batch: null,
    attentionTokens: 8,
    splits: 4,
  },
  subgroup: {
    decode: { rows: 8, tokens: 1, slices: 32, groups: 1, subgroups: true },
    batch: null,
    attentionTokens: 8,
    splits: 4,
  },
}

export function variantNamed(name: VariantName): Variant {
  const [cut, arithmetic = 'f32'] = name.split('-') as [Cut, Arithmetic?]
  const { decode, batch, ...rest } = cuts[cut]
  return { name, ...rest, decode: { ...decode, arithmetic }, batch: batch && { ...batch, arithmetic } }
}

/** Features of a device that some variants need. */
export const variantFeatures = ['shader-f16', 'subgroups'] as const satisfies readonly GPUFeatureName[]

/**
 * What suits a device. 8-bit products are taken only when asked for: they round activations, and what they gain was
 * measured on no GPU yet.
 */
export function chooseVariant({ features }: Pick<GPUDevice, 'features'>, isFallback: boolean): VariantName {
  if (isFallback) return 'serial'
  const cut = features.has('subgroups') ? 'subgroup' : 'workgroup'
  return features.has('shader-f16') ? `${cut}-f16` : cut
}
