/** Rotary position embedding (https://arxiv.org/abs/2104.09864). */

/**
 * Rotates the first `dimensions` of a head in place. `rotation`: cosines, then sines (dimensions / 2 each).
 * Style 0 rotates pairs (2i, 2i + 1), style 1 pairs (i, i + dimensions / 2).
 */
export function rotate(head: usize, rotation: usize, dimensions: i32, style: i32): void {
  const pairs = dimensions >> 1
  const sines = rotation + (<usize>pairs << 2)
  const firstStep: usize = style == 0 ? 8 : 4
  const second: usize = style == 0 ? 4 : <usize>pairs << 2
  for (let i = 0; i < pairs; i++) {
    const at = head + <usize>i * firstStep
    const cosine = load<f32>(rotation + (<usize>i << 2))
    const sine = load<f32>(sines + (<usize>i << 2))
    const a = load<f32>(at)
    const b = load<f32>(at + second)
    store<f32>(at, a * cosine - b * sine)
    store<f32>(at + second, a * sine + b * cosine)
  }
}
