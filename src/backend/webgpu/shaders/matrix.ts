import type { MatrixFormat } from '../matrix-format'

/** Reads one block of 32 columns of one row of a matrix. All text is for rows and blocks named at hand. */
export interface MatrixText {
  /** Declares `codes0…` (and scales) of a row's block: `block`, `group` and the row in its group are WGSL expressions. */
  load(suffix: string, group: string, block: string, row: string): string
  /** Four weights, columns 4j…4j + 3 of the block, before scale and minimum: vec4<f32>. */
  weights(suffix: string, j: number): string
  /** Of the columns of quad j; null where weights are final. f32 expressions. */
  scale(suffix: string, j: number): string | null
  /** minimum − scale × offset; null where it is zero. */
  shift(suffix: string, j: number): string | null
  /** Quads that share a scale: 8, or 4 where each half of a block has its own. */
  readonly quadsPerScale: number
}

/** Weights of 8 bits are read as fractions of 255, which costs one instruction (unpack4x8unorm) on most devices. */
const FULL = '255.0'

/** `name` is the prefix of the bindings NAMECodes and NAMEScales and of the constant NAMEBlocks. */
export function matrixText(format: MatrixFormat, name: string): MatrixText {
  const { codes, units, scales, hasMinimum, offset } = format
  const scaleRowWords = hasMinimum
    ? `(${name}Blocks * ${scales}u)`
    : scales === 2
      ? `${name}Blocks`
      : `((${name}Blocks + 1u) / 2u)`
  const scaleAt = (group: string, word: string, row: string): string =>
    `unpack2x16float(${name}Scales[((${group}) * ${scaleRowWords} + ${word}) * 8u + ${row}])`

  return {
    quadsPerScale: scales === 2 ? 4 : 8,
    load(suffix, group, block, row) {
      const lines: string[] = []
      for (let u = 0; u < units; u++) {
        lines.push(
          `let c${u}${suffix} = ${name}Codes[(((${group}) * ${name}Blocks + ${block}) * ${units}u + ${u}u) * 8u + ${row}];`,
        )
      }
      if (scales > 0) {
        if (hasMinimum) {
          for (let s = 0; s < scales; s++) {
            lines.push(`let s${s}${suffix} = ${scaleAt(group, `${block} * ${scales}u + ${s}u`, row)};`)
          }
        } else if (scales === 2) {
          lines.push(`let s0${suffix} = ${scaleAt(group, block, row)};`)
        } else {
          const pair = scaleAt(group, `(${block} >> 1u)`, row)
          lines.push(`let p${suffix} = ${pair};`)
          lines.push(`let s0${suffix} = select(p${suffix}.x, p${suffix}.y, (${block} & 1u) == 1u);`)
        }
      }
      return lines.join('\n')
    },
    weights(suffix, j) {
      if (codes === 'u4') {
        const word = `c0${suffix}[${j & 3}]`
        const nibbles = j < 4 ? `${word} & 0x0f0f0f0fu` : `(${word} >> 4u) & 0x0f0f0f0fu`
        return `unpack4x8unorm(${nibbles})`
      }
      if (codes === 'u8') return `unpack4x8unorm(c${j >> 2}${suffix}[${j & 3}])`
      if (codes === 'f32') return `bitcast<vec4<f32>>(c${j}${suffix})`
      const low = `c${j >> 1}${suffix}[${(j & 1) * 2}]`
      const high = `c${j >> 1}${suffix}[${(j & 1) * 2 + 1}]`
      if (codes === 'f16') return `vec4<f32>(unpack2x16float(${low}), unpack2x16float(${high}))`
      return (
        `bitcast<vec4<f32>>(vec4<u32>(${low} << 16u, ${low} & 0xffff0000u, ` +
        `${high} << 16u, ${high} & 0xffff0000u))`
      )
    },
    scale(suffix, j) {
      if (scales === 0) return null
      return `(${FULL} * ${scaleValue(suffix, j)})`
    },
    shift(suffix, j) {
      if (hasMinimum) return `s${scales === 2 ? j >> 2 : 0}${suffix}.y`
      return offset === 0 ? null : `(-${offset}.0 * ${scaleValue(suffix, j)})`
    },
  }

  function scaleValue(suffix: string, j: number): string {
    if (hasMinimum) return `s${scales === 2 ? j >> 2 : 0}${suffix}.x`
    if (scales === 2) return `s0${suffix}.${j < 4 ? 'x' : 'y'}`
    return `s0${suffix}`
  }
}
