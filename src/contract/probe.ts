/**
 * What a correct device makes of some tokens, for a test at load. Comes with a model's manifest, or is made by another
 * backend; how it is run says backend/device/probe.ts.
 */
export interface Probe {
  /** `PROBE_TOKENS` ids; the last five continue those before as the model would. */
  readonly tokens: readonly number[]
  /** After each of the last `PROBE_READINGS` tokens. */
  readonly readings: readonly ProbeReading[]
}

export interface ProbeReading {
  /** The `READING_TOKENS` likeliest tokens, the likeliest first; fewer where the vocabulary is smaller. */
  readonly ids: readonly number[]
  /** Their natural log-probabilities. */
  readonly logprobs: readonly number[]
}

export const PROBE_TOKENS = 21
export const PROBE_READINGS = 9
export const READING_TOKENS = 5

/** Plain text of at least 32 tokens, to make probes from and to time devices with. */
export const SAMPLE_TEXT =
  'The mouth of a river is where fresh water meets the sea. Small fish gather there in spring, because the water ' +
  'is warm and shallow and there is much to eat. Herons know it too, and wait.'
