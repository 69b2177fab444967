import type { MatrixFormat } from '../matrix-format'

/**
 * Reads one block of 32 columns of one row of a matrix: `load`, then a loop of `iterations` over i whose body is
 * `step`. All is text for a row named by its suffix; loops keep kernels short, for compiling takes longer than running
 * on some devices, and compilers that gain by it unroll them.
 */
export interface MatrixText {
  readonly iterations: number
  /** Runs of columns that have a scale of their own: 1, or 2 where each half of a block has one. */
  readonly halves: 1 | 2
  /** Declares codes and scales of a row's block: `group`, `block` and `row` in its group are WGSL expressions. */
  load(suffix: string, group: string, block: string, row: string): string
  /** What the loop's body declares before the quads are asked for. */
  step(suffix: string): string
  /** The quads of columns of an iteration. */
  readonly quads: readonly MatrixQuad[]
  /** Of the columns of a half; null where weights are final. f32 expressions. */
  scale(suffix: string, half: number): string | null
  /** minimum − scale × offset; null where it is zero. */
  shift(suffix: string, half: number): string | null
  /** Of integers: the scale of the codes themselves, and what is to be added for it; the latter as `shift`. */
  unit(suffix: string, half: number): string
  minimum(suffix: string, half: number): string | null
}

export interface MatrixQuad {
  /** Which of a block's eight, a u32 expression of i. */
  readonly quad: string
  readonly half: 0 | 1
  /** The four weights as integers in the bytes of a word; null where they are floats. */
  readonly codes: ((suffix: string) => string) | null
  /** The same before scale and minimum, divided by FULL where they are integers: vec4<f32>. */
  weights(suffix: string): string
}

/** Integers of 8 bits are read as fractions of 255, which costs one instruction (unpack4x8unorm) on most devices. */
const FULL = '255.0'

/** `name` is the prefix of the bindings NAMECodes and NAMEScales and of the constant NAMEBlocks. */
export function matrixText(format: MatrixFormat, name: string): MatrixText {
  const { codes, units, scales, hasMinimum, offset } = format
  const integers = codes === 'u4' || codes === 'u8'
  const scaleRowWords = hasMinimum
    ? `(${name}Blocks * ${scales}u)`
    : scales === 2
      ? `${name}Blocks`
      : `((${name}Blocks + 1u) / 2u)`
  const scaleAt = (group: string, word: string, row: string): string =>
    `unpack2x16float(${name}Scales[((${group}) * ${scaleRowWords} + ${word}) * 8u + ${row}])`
  const half = (h: number): number => (scales === 2 ? h : 0)

  function scaleValue(suffix: string, h: number): string {
    if (hasMinimum) return `s${half(h)}${suffix}.x`
    if (scales === 2) return `s0${suffix}.${h === 0 ? 'x' : 'y'}`
    return `s0${suffix}`
  }

  return {
    iterations: codes === 'f32' ? 8 : 4,
    halves: scales === 2 ? 2 : 1,
    quads: quadsOf(codes),
    load(suffix, group, block, row) {
      const lines = [`let at${suffix} = ((${group}) * ${name}Blocks + ${block}) * ${units * 8}u + ${row};`]
      if (integers) {
        lines.push(`let c0${suffix} = ${name}Codes[at${suffix}];`)
        if (codes === 'u8') lines.push(`let c1${suffix} = ${name}Codes[at${suffix} + 8u];`)
      }
      if (hasMinimum) {
        for (let s = 0; s < scales; s++) {
          lines.push(`let s${s}${suffix} = ${scaleAt(group, `${block} * ${scales}u + ${s}u`, row)};`)
        }
      } else if (scales === 2) {
        lines.push(`let s0${suffix} = ${scaleAt(group, block, row)};`)
      } else if (scales === 1) {
        lines.push(`let s0${suffix} = ${scaleAt(group, `(${block} >> 1u)`, row)}[${block} & 1u];`)
      }
      return lines.join('\n')
    },
    step: (suffix) => (integers ? '' : `let c${suffix} = ${name}Codes[at${suffix} + i * 8u];`),
    scale: (suffix, h) => (scales === 0 ? null : `(${FULL} * ${scaleValue(suffix, h)})`),
    unit: scaleValue,
    minimum: (suffix, h) => (hasMinimum ? `s${half(h)}${suffix}.y` : null),
    shift(suffix, h) {
      if (hasMinimum) return `s${half(h)}${suffix}.y`
      return offset === 0 ? null : `(-${offset}.0 * ${scaleValue(suffix, h)})`
    },
  }
}

function quadsOf(format: MatrixFormat['codes']): MatrixQuad[] {
  const integer = (quad: string, half: 0 | 1, codes: (suffix: string) => string): MatrixQuad => ({
    quad,
    half,
    codes,
    weights: (suffix) => `unpack4x8unorm(${codes(suffix)})`,
  })
  const float = (quad: string, weights: (suffix: string) => string): MatrixQuad => ({
    quad,
    half: 0,
    codes: null,
    weights,
  })
  const pair = (second: boolean): string => (second ? 'zw' : 'xy')
  switch (format) {
    case 'u4':
      return [
        integer('i', 0, (suffix) => `(c0${suffix}[i] & 0x0f0f0f0fu)`),
        integer('(i + 4u)', 1, (suffix) => `((c0${suffix}[i] >> 4u) & 0x0f0f0f0fu)`),
      ]
    case 'u8':
      return [
        integer('i', 0, (suffix) => `c0${suffix}[i]`),
        integer('(i + 4u)', 1, (suffix) => `c1${suffix}[i]`),
      ]
    case 'f16':
    case 'bf16':
      return [false, true].map((second) =>
        float(second ? '(i * 2u + 1u)' : '(i * 2u)', (suffix) => {
          const words = `c${suffix}.${pair(second)}`
          if (format === 'f16') {
            return `vec4<f32>(unpack2x16float(${words}.x), unpack2x16float(${words}.y))`
          }
          return `bitcast<vec4<f32>>(vec4<u32>(${words}.x << 16u, ${words}.x & 0xffff0000u, ${words}.y << 16u, ${words}.y & 0xffff0000u))`
        }),
      )
    case 'f32':
      return [float('i', (suffix) => `bitcast<vec4<f32>>(c${suffix})`)]
  }
}
