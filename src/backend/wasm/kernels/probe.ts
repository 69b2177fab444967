/** Times the two forms of the relaxed dot product (dot.ts): which is faster differs by CPU. Results keep the work alive. */

export function sum16(rounds: i32): i32 {
  let a = i16x8.splat(3)
  let b = i16x8.splat(5)
  let sum = i32x4.splat(0)
  for (let r = 0; r < rounds; r++) {
    let s = i16x8.splat(0)
    let t = i16x8.splat(0)
    for (let q = 0; q < 4; q++) {
      s = i16x8.add(s, i16x8.relaxed_dot_i8x16_i7x16_s(a, b))
      t = i16x8.add(t, i16x8.relaxed_dot_i8x16_i7x16_s(b, a))
    }
    sum = i32x4.add(sum, i32x4.add(i32x4.extadd_pairwise_i16x8_s(s), i32x4.extadd_pairwise_i16x8_s(t)))
    a = v128.xor(a, i32x4.splat(r & 1))
  }
  return i32x4.extract_lane(sum, 0)
}

export function sum32(rounds: i32): i32 {
  let a = i16x8.splat(3)
  let b = i16x8.splat(5)
  let sum = i32x4.splat(0)
  for (let r = 0; r < rounds; r++) {
    let s = i32x4.splat(0)
    let t = i32x4.splat(0)
    for (let q = 0; q < 4; q++) {
      s = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, s)
      t = i32x4.relaxed_dot_i8x16_i7x16_add_s(b, a, t)
    }
    sum = i32x4.add(sum, i32x4.add(s, t))
    a = v128.xor(a, i32x4.splat(r & 1))
  }
  return i32x4.extract_lane(sum, 0)
}
