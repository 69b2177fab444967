/** YaRN (https://arxiv.org/abs/2309.00071): which dimensions are stretched, by how many turns they make in training. */
export interface Yarn {
  /** Tokens the model saw before it was stretched. */
  readonly originalContextLength: number
  /** Dimensions that turn more often than this are left alone. Turns. */
  readonly betaFast: number
  /** Dimensions that turn less often than this are stretched in full. Turns. */
  readonly betaSlow: number
}

export interface RopeScaling {
  /** Positions are divided by this; 1: no scaling. */
  readonly factor: number
  readonly yarn: Yarn | null
}

export const noRopeScaling: RopeScaling = { factor: 1, yarn: null }

/**
 * Radians a position: (dimensionCount / 2).
 * base^(−2i / dimensionCount), divided by factors[i] (rope_freqs) and by the scaling's factor.
 * YaRN mixes the scaled and the unscaled angle; as both are linear in the position, so is the mix.
 */
export function ropeFrequencies(
  dimensionCount: number,
  base: number,
  scaling: RopeScaling,
  factors: Float32Array | null,
): Float32Array {
  const frequencies = new Float32Array(dimensionCount / 2)
  for (let i = 0; i < frequencies.length; i++) {
    const unscaled = base ** ((-2 * i) / dimensionCount) / (factors?.[i] ?? 1)
    const keep = scaling.yarn === null ? 0 : unscaledShare(i, dimensionCount, base, scaling.yarn)
    frequencies[i] = (unscaled / scaling.factor) * (1 - keep) + unscaled * keep
  }
  return frequencies
}

/** Factor on the length of rotated queries and keys that YaRN asks for: 1 + 0.1 ln(factor). */
export function yarnMagnitude(scaling: RopeScaling): number {
  return scaling.yarn === null ? 1 : 1 + 0.1 * Math.log(scaling.factor)
}

/** 1 for dimensions that turn fast, 0 for slow ones, a ramp between. */
function unscaledShare(i: number, dimensionCount: number, base: number, yarn: Yarn): number {
  const dimensionAt = (turns: number): number =>
    (dimensionCount * Math.log(yarn.originalContextLength / (turns * 2 * Math.PI))) / (2 * Math.log(base))
  const low = Math.max(0, Math.floor(dimensionAt(yarn.betaFast)))
  const high = Math.min(dimensionCount - 1, Math.ceil(dimensionAt(yarn.betaSlow)))
  const ramp = (i - low) / Math.max(0.001, high - low)
  return 1 - Math.min(1, Math.max(0, ramp))
}
