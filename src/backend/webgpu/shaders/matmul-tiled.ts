import { matrixText } from './matrix'
import { matmulBindings, matmulConstants, type MatmulShape, activationText, resultText } from './matmul'
import type { Shader } from './shader'

/** Rows and tokens of a workgroup. Its tiles of one block of columns take 12 KiB of the 16 every device has. */
export const TILE_ROWS = 64
export const TILE_TOKENS = 32
/** Of an invocation, which computes their products. */
const ROWS = 4
const TOKENS = 4
const SIZE = (TILE_ROWS / ROWS) * (TILE_TOKENS / TOKENS)

/**
 * The product of matmul.ts for many tokens: a workgroup brings a block of columns of 64 rows, as floats, and of 32
 * tokens into its memory, so that each is read and unpacked once for all.
 */
export function tiledMatmulShader(shape: MatmulShape): Shader {
  const { format, norm, result, outputsOnly } = shape
  const matrix = matrixText(format, 'matrix')
  const rowIds = Array.from({ length: ROWS }, (_, r) => r)
  const tokenIds = Array.from({ length: TOKENS }, (_, t) => t)
  const lanes = 8 / ROWS
  const loaders = SIZE / TILE_ROWS
  const unpacked = matrix.quads.map(({ quad, half, weights }) => {
    const scale = matrix.scale('', half)
    const shift = matrix.shift('', half)
    const value = `${weights('')}${scale === null ? '' : ` * ${scale}`}${shift === null ? '' : ` + ${shift}`}`
    return `matrixTile[${quad} * ${TILE_ROWS}u + row] = ${value};`
  })
  const squareParts = Array.from(
    { length: SIZE / TILE_TOKENS },
    (_, i) => `squareSums[tokenInTile + t + ${i * TILE_TOKENS}u]`,
  )
  const source = /* wgsl */ `
${norm ? `const normEpsilon = f32(${norm.epsilon});` : ''}
var<workgroup> matrixTile: array<vec4<f32>, ${8 * TILE_ROWS}>; // (quads, rows)
var<workgroup> tokenTile: array<vec4<f32>, ${8 * TILE_TOKENS}>; // (quads, tokens)
${norm ? `var<workgroup> squareSums: array<f32, ${SIZE}>;` : ''}
${result === 'gated' ? activationText(shape.activation ?? 'silu') : ''}
@compute @workgroup_size(${SIZE})
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let firstOfTile = workgroup.y * ${TILE_TOKENS}u${outputsOnly ? ' + step.firstOutput' : ''};
  // What this invocation brings: part of a row's block, and quads of a token.
  let row = index % ${TILE_ROWS}u;
  let loadGroup = min(workgroup.x * ${TILE_ROWS / 8}u + row / 8u, groupCount - 1u);
  let loadToken = index % ${TILE_TOKENS}u;
  let xAt = min(firstOfTile + loadToken, step.count - 1u) * matrixBlocks * 8u;
  // What it computes: rows of a group, \`lanes\` apart, and tokens side by side.
  let unit = index % ${TILE_ROWS / ROWS}u;
  let lane = unit % ${lanes}u;
  let group = workgroup.x * ${TILE_ROWS / 8}u + unit / ${lanes}u;
  let rowInTile = (unit / ${lanes}u) * 8u + lane;
  let tokenInTile = index / ${TILE_ROWS / ROWS}u * ${TOKENS}u;
  ${tokenIds.map((t) => `var rows_${t} = vec4<f32>();`).join(' ')}
  ${norm ? 'var squares = 0.0;' : ''}
  for (var block = 0u; block < matrixBlocks; block++) {
    {
      ${matrix.load('', 'loadGroup', 'block', 'row % 8u')}
      for (var i = index / ${TILE_ROWS}u; i < ${matrix.iterations}u; i += ${loaders}u) {
        ${matrix.step('')}
        ${unpacked.join('\n        ')}
      }
    }
    for (var quad = index / ${TILE_TOKENS}u; quad < 8u; quad += ${SIZE / TILE_TOKENS}u) {
      let raw = x[xAt + block * 8u + quad];
      ${norm ? 'squares += dot(raw, raw);' : ''}
      tokenTile[quad * ${TILE_TOKENS}u + loadToken] = raw${norm ? ' * normWeights[block * 8u + quad]' : ''};
    }
    workgroupBarrier();
    for (var quad = 0u; quad < 8u; quad++) {
      ${rowIds.map((r) => `let w_${r} = matrixTile[quad * ${TILE_ROWS}u + rowInTile + ${r * lanes}u];`).join('\n      ')}
      ${tokenIds.map((t) => `let x_${t} = tokenTile[quad * ${TILE_TOKENS}u + tokenInTile + ${t}u];`).join('\n      ')}
      ${tokenIds.map((t) => `rows_${t} += vec4<f32>(${rowIds.map((r) => `dot(w_${r}, x_${t})`).join(', ')});`).join('\n      ')}
    }
    workgroupBarrier();
  }
  ${norm ? 'squareSums[index] = squares;\n  workgroupBarrier();' : ''}
  if (group >= groupCount) { return; }
  var sums = array<vec4<f32>, ${TOKENS}>(${tokenIds.map((t) => `rows_${t}`).join(', ')});
  for (var t = 0u; t < ${TOKENS}u; t++) {
    let token = firstOfTile + tokenInTile + t;
    if (token >= ${outputsOnly ? 'step.firstOutput + step.outputs' : 'step.count'}) { return; }
    ${norm ? `let root = inverseSqrt((${squareParts.join(' + ')}) / ${norm.columns}.0 + normEpsilon);` : ''}
    ${rowIds.map((r) => `let y${r} = sums[t][${r}]${norm ? ' * root' : ''};`).join('\n    ')}
    ${resultText(shape, ROWS)}
  }
}
`
  return {
    label: `tiled matmul ${result} ${format.codes} ${shape.rows}x${shape.blocks * 32}`,
    bindings: matmulBindings(shape),
    constants: matmulConstants(shape),
    source,
  }
}
