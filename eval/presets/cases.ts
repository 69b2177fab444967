import type { PresetValues } from '../../src/widget/presets/preset'

/** A job with what a right answer holds; scores.ts says how each preset reads that. */
export interface PresetCase {
  readonly values: PresetValues
  readonly wanted: readonly string[]
}
