/** A source of numbers in [0, 1), 32 random bits each. */
export interface Random {
  next(): number
}

/**
 * xoshiro128** 1.1 (https://prng.di.unimi.it/xoshiro128starstar.c), seeded from the 53 bits of an integer by
 * splitmix32. Same seed, same numbers, in every JavaScript engine.
 */
export function createRandom(seed: number): Random {
  let state = seed | 0
  // The upper bits go in through one more round, so that seeds above 2^32 differ too.
  const splitmix = (): number => {
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return mixed ^ (mixed >>> 15)
  }
  const low = splitmix()
  state = low ^ Math.floor(seed / 2 ** 32)
  let a = splitmix()
  let b = splitmix()
  let c = splitmix()
  let d = splitmix() | 1 // never all zero
  return {
    next() {
      const scrambled = Math.imul(b, 5)
      const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9)
      const shifted = b << 9
      c ^= a
      d ^= b
      b ^= c
      a ^= d
      c ^= shifted
      d = (d << 11) | (d >>> 21)
      return (result >>> 0) / 2 ** 32
    },
  }
}
