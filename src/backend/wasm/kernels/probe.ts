/**
 * Times the two forms of the relaxed dot product (dot.ts), since which is faster differs by CPU, and shows whether the
 * engine computes them rightly. Both give 16 × Σ (400 + (round & 1)) in every lane: products of signed −7 and 11 with
 * bytes of 100, the first of four 101 in odd rounds.
 */

export function sum16(rounds: i32): i32 {
  const a = i8x16.splat(-7)
  const b = i8x16.splat(11)
  const ones = i8x16.splat(100)
  let sum = i32x4.splat(0)
  for (let r = 0; r < rounds; r++) {
    const x = v128.xor(ones, i32x4.splat(r & 1))
    let s = i16x8.splat(0)
    let t = i16x8.splat(0)
    for (let q = 0; q < 4; q++) {
      s = i16x8.add(s, i16x8.relaxed_dot_i8x16_i7x16_s(a, x))
      t = i16x8.add(t, i16x8.relaxed_dot_i8x16_i7x16_s(b, x))
    }
    sum = i32x4.add(sum, i32x4.add(i32x4.extadd_pairwise_i16x8_s(s), i32x4.extadd_pairwise_i16x8_s(t)))
  }
  return i32x4.extract_lane(sum, 0)
}

export function sum32(rounds: i32): i32 {
  const a = i8x16.splat(-7)
  const b = i8x16.splat(11)
  const ones = i8x16.splat(100)
  let sum = i32x4.splat(0)
  for (let r = 0; r < rounds; r++) {
    const x = v128.xor(ones, i32x4.splat(r & 1))
    let s = i32x4.splat(0)
    let t = i32x4.splat(0)
    for (let q = 0; q < 4; q++) {
      s = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, x, s)
      t = i32x4.relaxed_dot_i8x16_i7x16_add_s(b, x, t)
    }
    sum = i32x4.add(sum, i32x4.add(s, t))
  }
  return i32x4.extract_lane(sum, 0)
}
