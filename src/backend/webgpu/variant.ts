import type { MatmulTile } from './shaders/matmul'

export type VariantName = 'serial' | 'workgroup'

/**
 * How the kernels are cut for a device.
 *
 *   serial     no barrier anywhere, one invocation a row group: software adapters run barriers 6 to 25 times slower
 *   workgroup  invocations share columns and keys through workgroup memory
 */
export interface Variant {
  readonly name: VariantName
  readonly decode: MatmulTile
  readonly batch: MatmulTile
  /** Tokens of one workgroup of attention in a batch; null: one invocation for each token and head. */
  readonly attentionTokens: number | null
  /** Runs the positions of a decode step are cut in. */
  readonly splits: number
}

export const variants: Readonly<Record<VariantName, Variant>> = {
  serial: {
    name: 'serial',
    decode: { rows: 8, tokens: 1, slices: 1, groups: 4, unroll: true },
    batch: { rows: 4, tokens: 4, slices: 1, groups: 2 },
    attentionTokens: null,
    splits: 4,
  },
  workgroup: {
    name: 'workgroup',
    decode: { rows: 2, tokens: 1, slices: 16, groups: 1 },
    batch: { rows: 4, tokens: 8, slices: 1, groups: 32 },
    attentionTokens: 8,
    splits: 4,
  },
}
