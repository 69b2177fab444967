/**
 * Walsh–Hadamard transform of each run of n floats, times `scale`, in place. n is the largest power of two that divides
 * `count` (a multiple of 8). It spreads a vector's few large elements over all, so that one scale serves all better, and
 * keeps products of two vectors but for the factor n (https://arxiv.org/abs/2404.00456). Its own inverse with scale 1/n.
 */
export function hadamard(values: usize, count: i32, scale: f32): void {
  const end = values + (<usize>count << 2)
  const signs1 = f32x4(1, -1, 1, -1)
  const signs2 = f32x4.mul(f32x4(1, 1, -1, -1), f32x4.splat(scale))
  for (let at = values; at < end; at += 16) {
    let v = v128.load(at)
    v = f32x4.add(f32x4.mul(v, signs1), v128.shuffle<i32>(v, v, 1, 0, 3, 2))
    const swapped = v128.shuffle<i32>(v, v, 2, 3, 0, 1)
    v128.store(at, f32x4.add(f32x4.mul(v, signs2), f32x4.mul(swapped, f32x4.splat(scale))))
  }
  const bytes = <usize>hadamardSize(count) << 2
  for (let half: usize = 16; half < bytes; half <<= 1) {
    for (let run = values; run < end; run += half * 2) {
      for (let at = run; at < run + half; at += 16) {
        const a = v128.load(at)
        const b = v128.load(at + half)
        v128.store(at, f32x4.add(a, b))
        v128.store(at + half, f32x4.sub(a, b))
      }
    }
  }
}

/** n of `count` elements. */
// @ts-ignore: decorator
@inline
export function hadamardSize(count: i32): i32 {
  return count & -count
}
