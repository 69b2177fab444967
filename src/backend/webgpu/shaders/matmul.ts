import type { MatrixFormat } from '../matrix-format'
import { type MatrixText, matrixText } from './matrix'
import { type Binding, type Shader, stepBinding } from './shader'

/**
 * out = matrix × x for a run of tokens, fused with what comes before and after.
 *
 * RMS norm before it costs one multiply-add a column: x · weight goes into the products as it is, Σ x² is summed on the
 * way, and the finished rows are divided by the root. So no kernel waits for a norm, and none needs a barrier for it.
 *
 * What is done with the finished rows:
 *   store     out[token, row] = result (+ bias)
 *   add       out[token, row] += result: the residual stream
 *   gated     rows of gate and up are paired: out[token, pair] = activation(gate) × up
 *   rotated   rows of query, key and value are paired by rotation: queries and KV cache are written
 */
export type MatmulResult = 'store' | 'add' | 'gated' | 'rotated'

export interface MatmulShape {
  readonly format: MatrixFormat
  readonly rows: number
  /** Blocks of 32 columns. */
  readonly blocks: number
  /** Multiply x by norm weights and divide by its root mean square; the mean is over `columns`. */
  readonly norm: { readonly epsilon: number; readonly columns: number } | null
  readonly result: MatmulResult
  readonly bias: boolean
  readonly activation?: 'silu' | 'gelu'
  /** Floats from one token to the next in `out`. */
  readonly outStride: number
  /** 'store': rows of `out` begin with the first token whose logits are wanted. */
  readonly outputsOnly?: boolean
  /** First row of `out` this matrix makes: of a matrix cut in parts, or of a fused one. */
  readonly rowOffset?: number
  /** First row of `bias` for this matrix. */
  readonly biasOffset?: number
  readonly heads?: { readonly queries: number; readonly keys: number; readonly headDim: number }
}

export interface MatmulTile {
  /** Rows an invocation computes: 2, 4 or 8 of a group of 8. */
  readonly rows: 2 | 4 | 8
  /** Tokens an invocation computes. */
  readonly tokens: number
  /** Invocations that share the columns of a row; 1 needs no barrier. */
  readonly slices: number
  /** Groups of 8 rows a workgroup computes. */
  readonly groups: number
  /** Write the loop over a block's columns out, where the compiler doesn't: faster to run, slower to compile. */
  readonly unroll?: boolean
  /**
   * In what whole numbers are multiplied with x; sums are f32. 'f16' and 'i8' divide each block of 32 of x by its
   * largest value first, so that nothing leaves their range; 'i8' rounds it to 8 bits, as the WebAssembly kernels do.
   * Default 'f32'. Matrices of floats always have it.
   */
  readonly arithmetic?: Arithmetic
  /** With slices: sums go through subgroups of whatever size; all invocations must have the same 8 rows. */
  readonly subgroups?: boolean
}

export type Arithmetic = 'f32' | 'f16' | 'i8'

export function workgroupSize({ rows, slices, groups }: MatmulTile): number {
  return (8 / rows) * slices * groups
}

/** @param tile how the work is cut */
export function matmulShader(shape: MatmulShape, tile: MatmulTile): Shader {
  const { format, norm, result } = shape
  const matrix = matrixText(format, 'matrix')
  const lanes = 8 / tile.rows
  const rowIds = Array.from({ length: tile.rows }, (_, i) => i)
  const tokenIds = Array.from({ length: tile.tokens }, (_, t) => t)
  const each = (text: (r: number, t: number) => string): string =>
    tokenIds.map((t) => rowIds.map((r) => text(r, t)).join('\n')).join('\n')
  const needsSums = matrix.shift('_r0', 0) !== null
  const halves = [0, 1].slice(0, matrix.halves)
  const halfOf = (half: number): number => (matrix.halves === 2 ? half : 0)

  const plainBlock = (): string => /* wgsl */ `
    ${rowIds.map((r) => matrix.load(`_r${r}`, 'group', 'block', `(lane + ${r * lanes}u)`)).join('\n    ')}
    ${each((r, t) => halves.map((h) => `var part_${r}_${t}_${h} = 0.0;`).join(' '))}
    ${needsSums ? tokenIds.map((t) => halves.map((h) => `var sum_${t}_${h} = vec4<f32>();`).join(' ')).join('\n    ') : ''}
    ${repeat(
      matrix.iterations,
      tile.unroll ?? false,
      `{
      ${rowIds.map((r) => matrix.step(`_r${r}`)).join('\n      ')}
      ${matrix.quads
        .map(
          ({ quad, half, weights }) => `{
        ${tokenIds
          .map(
            (t) => `${norm ? 'let raw' : 'let x'}_${t} = x[xAt_${t} + block * 8u + ${quad}];
        ${norm ? `squares_${t} += dot(raw_${t}, raw_${t}); let x_${t} = raw_${t} * normWeights[block * 8u + ${quad}];` : ''}
        ${needsSums ? `sum_${t}_${halfOf(half)} += x_${t};` : ''}`,
          )
          .join('\n')}
        ${rowIds
          .map(
            (r) =>
              `{ let w = ${weights(`_r${r}`)}; ${tokenIds.map((t) => `part_${r}_${t}_${halfOf(half)} += dot(w, x_${t});`).join(' ')} }`,
          )
          .join('\n        ')}
      }`,
        )
        .join('\n')}
    }`,
    )}
    ${halves
      .map((h) => {
        const totals = tokenIds.map((t) => `let total_${t}_${h} = dot(sum_${t}_${h}, vec4<f32>(1.0));`)
        const rows = each((r, t) => {
          const scale = matrix.scale(`_r${r}`, h)
          const shift = matrix.shift(`_r${r}`, h)
          return (
            `row_${r}_${t} += ${scale === null ? '' : `${scale} * `}part_${r}_${t}_${h}` +
            `${shift === null ? '' : ` + ${shift} * total_${t}_${h}`};`
          )
        })
        return `${needsSums ? totals.join('\n    ') : ''}\n    ${rows}`
      })
      .join('\n    ')}`

  const arithmetic = isInteger(format) ? (tile.arithmetic ?? 'f32') : 'f32'
  const blockText = arithmetic === 'f32' ? plainBlock() : scaledBlock(shape, tile, matrix, arithmetic)
  const reduced = tile.slices > 1
  const sums = tile.tokens * (tile.rows + (norm ? 1 : 0))
  const sumNames = tokenIds.flatMap((t) => [
    ...rowIds.map((r) => `row_${r}_${t}`),
    ...(norm ? [`squares_${t}`] : []),
  ])

  const source = /* wgsl */ `
${reduced ? `var<workgroup> shared_sums: array<f32, ${workgroupSize(tile) * sums}>;` : ''}
${result === 'gated' ? activationText(shape.activation ?? 'silu') : ''}
@compute @workgroup_size(${workgroupSize(tile)})
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let lane = index % ${lanes}u;
  let slice = (index / ${lanes}u) % ${tile.slices}u;
  let wanted = workgroup.x * ${tile.groups}u + index / ${lanes * tile.slices}u;
  let firstToken = workgroup.y * ${tile.tokens}u${shape.outputsOnly ? ' + step.firstOutput' : ''};
  ${reduced ? 'let group = min(wanted, groupCount - 1u);' : 'if (wanted >= groupCount) { return; }\n  let group = wanted;'}
  ${tokenIds.map((t) => `let xAt_${t} = min(firstToken + ${t}u, step.count - 1u) * matrixBlocks * 8u;`).join('\n  ')}
  ${each((r, t) => `var row_${r}_${t} = 0.0;`)}
  ${norm ? tokenIds.map((t) => `var squares_${t} = 0.0;`).join('\n  ') : ''}
  for (var block = slice; block < matrixBlocks; block += ${tile.slices}u) {
    ${blockText}
  }
  ${
    reduced
      ? tile.subgroups
        ? subgroupSums(sumNames, workgroupSize(tile))
        : `${sumNames.map((name, i) => `shared_sums[index * ${sums}u + ${i}u] = ${name};`).join('\n  ')}
  workgroupBarrier();
  if (slice != 0u || wanted >= groupCount) { return; }
  for (var s = 1u; s < ${tile.slices}u; s++) {
    let at = (index + s * ${lanes}u) * ${sums}u;
    ${sumNames.map((name, i) => `${name} += shared_sums[at + ${i}u];`).join('\n    ')}
  }`
      : ''
  }
  ${tokenIds
    .map(
      (
        t,
      ) => `if (firstToken + ${t}u < ${shape.outputsOnly ? 'step.firstOutput + step.outputs' : 'step.count'}) {
    let token = firstToken + ${t}u;
    ${norm ? `let root = inverseSqrt(squares_${t} / ${norm.columns}.0 + normEpsilon);` : ''}
    ${rowIds.map((r) => `let y${r} = row_${r}_${t}${norm ? ' * root' : ''};`).join('\n    ')}
    ${resultText(shape, tile.rows)}
  }`,
    )
    .join('\n  ')}
}
`
  return {
    label: `matmul ${result} ${format.codes} ${shape.rows}x${shape.blocks * 32} ${JSON.stringify(tile)}`,
    bindings: matmulBindings(shape),
    constants: matmulConstants(shape),
    enables: [
      ...(arithmetic === 'f16' ? (['f16'] as const) : []),
      ...(tile.subgroups ? (['subgroups'] as const) : []),
    ],
    source: (norm ? `const normEpsilon = f32(${norm.epsilon});\n` : '') + source,
  }
}

/**
 * Sums over a workgroup whose invocations all have the same rows. How invocations lie in subgroups is not known, so
 * that one of each subgroup leaves its sums in its own place of memory that begins as zeros.
 */
function subgroupSums(names: readonly string[], size: number): string {
  const count = names.length
  return `${names.map((name) => `${name} = subgroupAdd(${name});`).join('\n  ')}
  if (subgroupElect()) {
    ${names.map((name, i) => `shared_sums[index * ${count}u + ${i}u] = ${name};`).join('\n    ')}
  }
  workgroupBarrier();
  if (slice != 0u || wanted >= groupCount) { return; }
  ${names.map((name) => `${name} = 0.0;`).join(' ')}
  for (var s = 0u; s < ${size}u; s++) {
    ${names.map((name, i) => `${name} += shared_sums[s * ${count}u + ${i}u];`).join('\n    ')}
  }`
}

function isInteger({ codes }: MatrixFormat): boolean {
  return codes === 'u4' || codes === 'u8'
}

/** A block of 32 columns with x divided by its largest value there. */
function scaledBlock(
  shape: MatmulShape,
  tile: MatmulTile,
  matrix: MatrixText,
  arithmetic: 'f16' | 'i8',
): string {
  const { norm, format } = shape
  const lanes = 8 / tile.rows
  const rowIds = Array.from({ length: tile.rows }, (_, i) => i)
  const tokenIds = Array.from({ length: tile.tokens }, (_, t) => t)
  const halves = [0, 1].slice(0, matrix.halves)
  const halfOf = (half: number): number => (matrix.halves === 2 ? half : 0)
  const isF16 = arithmetic === 'f16'
  // Codes around zero: bytes of which half are negative, whose sums need no correction.
  const flipped = format.codes === 'u8' && format.offset === 128
  const offset = flipped || isF16 ? 0 : format.offset
  const needsTotals = format.hasMinimum || offset !== 0
  const [quadType, zero] = isF16 ? ['vec4<f16>', '0.0'] : ['u32', '0i']
  const codesOf = (codes: string): string => {
    if (isF16) return `vec4<f16>(unpack4x8unorm(${codes}) * 255.0 - ${format.offset}.0)`
    return flipped ? `(${codes} ^ 0x80808080u)` : codes
  }
  const product = (a: string, b: string): string =>
    isF16 ? `f32(dot(${a}, ${b}))` : `dot4I8Packed(${a}, ${b})`
  const one = isF16 ? 'vec4<f16>(1.0h)' : '0x01010101u'
  const load = (t: number): string => /* wgsl */ `
    var values_${t}: array<vec4<f32>, 8>;
    var largest_${t} = vec4<f32>(1.0e-30);
    for (var i = 0u; i < 8u; i++) {
      let raw = x[xAt_${t} + block * 8u + i];
      ${norm ? `squares_${t} += dot(raw, raw);` : ''}
      values_${t}[i] = raw${norm ? ' * normWeights[block * 8u + i]' : ''};
      largest_${t} = max(largest_${t}, abs(values_${t}[i]));
    }
    let most_${t} = max(max(largest_${t}.x, largest_${t}.y), max(largest_${t}.z, largest_${t}.w));
    let unit_${t} = most_${t}${isF16 ? '' : ' / 127.0'};
    var quads_${t}: array<${quadType}, 8>;
    for (var i = 0u; i < 8u; i++) {
      let scaled = values_${t}[i] * (${isF16 ? '1.0' : '127.0'} / most_${t});
      quads_${t}[i] = ${isF16 ? 'vec4<f16>(scaled)' : 'pack4xI8(vec4<i32>(round(scaled)))'};
    }
    ${halves.map((h) => (needsTotals ? `var total_${t}_${h} = ${zero};` : '')).join(' ')}`
  return /* wgsl */ `
    ${rowIds.map((r) => matrix.load(`_r${r}`, 'group', 'block', `(lane + ${r * lanes}u)`)).join('\n    ')}
    ${tokenIds.map(load).join('\n')}
    ${rowIds.map((r) => tokenIds.map((t) => halves.map((h) => `var part_${r}_${t}_${h} = ${zero};`).join(' ')).join(' ')).join('\n    ')}
    for (var i = 0u; i < ${matrix.iterations}u; i++) {
      ${matrix.quads
        .map(
          ({ quad, half, codes }) => `{
        ${tokenIds.map((t) => `let x_${t} = quads_${t}[${quad}];${needsTotals ? ` total_${t}_${halfOf(half)} += ${product(`x_${t}`, one)};` : ''}`).join('\n        ')}
        ${rowIds
          .map(
            (r) =>
              `{ let w = ${codesOf(codes!(`_r${r}`))}; ${tokenIds.map((t) => `part_${r}_${t}_${halfOf(half)} += ${product('w', `x_${t}`)};`).join(' ')} }`,
          )
          .join('\n        ')}
      }`,
        )
        .join('\n')}
    }
    ${rowIds
      .map((r) =>
        tokenIds
          .map((t) =>
            halves
              .map((h) => {
                const unit = matrix.unit(`_r${r}`, h)
                const added = matrix.minimum(`_r${r}`, h) ?? `(-${offset}.0 * ${unit})`
                const totals = needsTotals ? ` + ${added} * f32(total_${t}_${h})` : ''
                return `row_${r}_${t} += unit_${t} * (${unit} * f32(part_${r}_${t}_${h})${totals});`
              })
              .join('\n    '),
          )
          .join('\n    '),
      )
      .join('\n    ')}`
}

/** A body for i = 0 … count − 1: as a loop, or written out. */
function repeat(count: number, written: boolean, body: string): string {
  if (!written) return `for (var i = 0u; i < ${count}u; i++) ${body}`
  return Array.from({ length: count }, (_, i) => `{ const i = ${i}u; ${body} }`).join('\n')
}

export function matmulBindings({ format, norm, bias, result }: MatmulShape): Binding[] {
  return [
    stepBinding,
    { name: 'matrixCodes', access: 'read', type: 'array<vec4<u32>>' },
    ...(format.scales > 0 ? [read('matrixScales', 'array<u32>')] : []),
    read('x', 'array<vec4<f32>>'),
    ...(norm ? [read('normWeights', 'array<vec4<f32>>')] : []),
    ...(bias ? [read('bias', 'array<f32>')] : []),
    { name: 'out', access: 'read_write', type: 'array<f32>' },
    ...(result === 'rotated'
      ? [
          read('rotations', 'array<vec2<f32>>'),
          { name: 'cache', access: 'read_write', type: 'array<u32>' } as const,
        ]
      : []),
  ]
}

export function matmulConstants(shape: MatmulShape): Record<string, number> {
  const { bias, heads } = shape
  return {
    groupCount: Math.ceil(shape.rows / 8),
    matrixBlocks: shape.blocks,
    rowCount: shape.rows,
    rowOffset: shape.rowOffset ?? 0,
    outStride: shape.outStride,
    ...(bias ? { biasOffset: shape.biasOffset ?? 0 } : {}),
    ...(heads ? { queryRows: heads.queries * heads.headDim, keyRows: heads.keys * heads.headDim } : {}),
    ...(heads ? { headDim: heads.headDim } : {}),
  }
}

/** What becomes of y0… of `token`; the `rows` rows of an invocation are of `group`, 8 / rows apart from `lane` on. */
export function resultText(shape: MatmulShape, rows: number): string {
  const { result, bias, outputsOnly } = shape
  const lanes = 8 / rows
  const half = rows / 2
  const lines: string[] = []
  if (result === 'store' || result === 'add') {
    for (let r = 0; r < rows; r++) {
      const token = outputsOnly ? '(token - step.firstOutput)' : 'token'
      lines.push(`{
      let row = group * 8u + lane + ${r * lanes}u;
      if (row < rowCount) {
        out[${token} * outStride + rowOffset + row] ${result === 'add' ? '+=' : '='} y${r}${bias ? ' + bias[biasOffset + row]' : ''};
      }
    }`)
    }
    return lines.join('\n    ')
  }
  for (let r = 0; r < half; r++) {
    const pair = `(group * 4u + lane + ${r * lanes}u)`
    const [first, second] = [`y${r}`, `y${r + half}`]
    if (result === 'gated') {
      lines.push(`if (${pair} * 2u < rowCount) {
      out[token * outStride + rowOffset + ${pair}] = activate(${first}) * ${second};
    }`)
      continue
    }
    // Pair p of a fused query, key, value holds dimensions 2p and 2p + 1 of their concatenation.
    const biased = bias
      ? `vec2<f32>(${first}, ${second}) + vec2<f32>(bias[biasOffset + pair * 2u], bias[biasOffset + pair * 2u + 1u])`
      : `vec2<f32>(${first}, ${second})`
    lines.push(`if (${pair} * 2u < rowCount) {
      let pair = ${pair};
      let row = pair * 2u + rowOffset;
      let y = ${biased};
      let position = step.start + token;
      if (row < queryRows + keyRows) {
        let turn = rotations[position * (headDim / 2u) + (row % headDim) / 2u];
        let rotated = vec2<f32>(y.x * turn.x - y.y * turn.y, y.x * turn.y + y.y * turn.x);
        if (row < queryRows) {
          out[token * outStride + row] = rotated.x;
          out[token * outStride + row + 1u] = rotated.y;
        } else {
          let key = row - queryRows;
          cache[((key / headDim) * step.capacity + position) * (headDim / 2u) + (key % headDim) / 2u] = pack2x16float(rotated);
        }
      } else {
        let value = row - queryRows - keyRows;
        cache[((keyRows / headDim + value / headDim) * step.capacity + position) * (headDim / 2u) + (value % headDim) / 2u] =
          pack2x16float(y);
      }
    }`)
  }
  return lines.join('\n    ')
}

export function activationText(activation: 'silu' | 'gelu'): string {
  if (activation === 'silu') return 'fn activate(x: f32) -> f32 { return x / (1.0 + exp(-x)); }'
  // The tanh approximation; tanh of large arguments is not a number on some devices.
  return /* wgsl */ `
fn activate(x: f32) -> f32 {
  let inner = clamp(0.7978845608028654 * (x + 0.044715 * x * x * x), -15.0, 15.0);
  return 0.5 * x * (1.0 + tanh(inner));
}`
}

function read(name: string, type: string): Binding {
  return { name, access: 'read', type }
}
