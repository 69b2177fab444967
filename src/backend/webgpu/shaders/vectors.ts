import type { MatrixFormat } from '../matrix-format'
import { matrixText } from './matrix'
import { type Shader, stepBinding } from './shader'

/** out[token] = embedding row × scale. One invocation for each block of 32 columns of a token. */
export function embedShader(shape: {
  readonly format: MatrixFormat
  readonly blocks: number
  /** Rows of this part of the table, from `firstRow`. */
  readonly firstRow: number
  readonly rows: number
  readonly scale: number
}): Shader {
  const { format, blocks, firstRow, rows, scale } = shape
  const matrix = matrixText(format, 'matrix')
  const quads = matrix.quads.map(({ quad, half, weights }) => {
    const factor = matrix.scale('', half)
    const shift = matrix.shift('', half)
    const value = `${weights('')}${factor === null ? '' : ` * ${factor}`}${shift === null ? '' : ` + vec4<f32>(${shift})`}`
    return `out[to + ${quad}] = (${value}) * scale;`
  })
  return {
    label: 'embed',
    bindings: [
      stepBinding,
      { name: 'matrixCodes', access: 'read', type: 'array<vec4<u32>>' },
      ...(format.scales > 0 ? [{ name: 'matrixScales', access: 'read', type: 'array<u32>' } as const] : []),
      { name: 'tokens', access: 'read', type: 'array<u32>' },
      { name: 'out', access: 'read_write', type: 'array<vec4<f32>>' },
    ],
    constants: { matrixBlocks: blocks, firstRow, rowCount: rows },
    source: /* wgsl */ `
const scale = f32(${scale});
@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let block = id.x;
  let row = tokens[id.y] - firstRow; // wraps around for rows before this part
  if (block >= matrixBlocks || row >= rowCount) { return; }
  ${matrix.load('', 'row / 8u', 'block', '(row % 8u)')}
  let to = (id.y * matrixBlocks + block) * 8u;
  for (var i = 0u; i < ${matrix.iterations}u; i++) {
    ${matrix.step('')}
    ${quads.join('\n    ')}
  }
}
`,
  }
}

/** residual += RMS norm of `x` (Gemma's norms behind attention and feed-forward). One invocation a block and token. */
export function addNormedShader(shape: { blocks: number; columns: number; epsilon: number }): Shader {
  return {
    label: 'add normed',
    bindings: [
      stepBinding,
      { name: 'x', access: 'read', type: 'array<vec4<f32>>' },
      { name: 'normWeights', access: 'read', type: 'array<vec4<f32>>' },
      { name: 'residual', access: 'read_write', type: 'array<vec4<f32>>' },
    ],
    constants: { blocks: shape.blocks },
    source: /* wgsl */ `
@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= blocks) { return; }
  let base = id.y * blocks * 8u;
  var squares = 0.0;
  for (var i = 0u; i < blocks * 8u; i++) { squares += dot(x[base + i], x[base + i]); }
  let root = inverseSqrt(squares / ${shape.columns}.0 + f32(${shape.epsilon}));
  for (var i = id.x * 8u; i < id.x * 8u + 8u; i++) {
    residual[base + i] += x[base + i] * root * normWeights[i];
  }
}
`,
  }
}

/** gate = activation(gate) × up, where the two could not be made by one product. One invocation a quad. */
export function gateShader(shape: { quads: number; activate: string }): Shader {
  return {
    label: 'gate',
    bindings: [
      stepBinding,
      { name: 'up', access: 'read', type: 'array<f32>' },
      { name: 'gate', access: 'read_write', type: 'array<f32>' },
    ],
    constants: { quads: shape.quads },
    source: /* wgsl */ `
${shape.activate}
@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= quads) { return; }
  for (var i = 0u; i < 4u; i++) {
    let at = (id.y * quads + id.x) * 4u + i;
    gate[at] = activate(gate[at]) * up[at];
  }
}
`,
  }
}

/**
 * Query and key norms (RMS over a head), rotation, and the KV cache, for models that norm heads.
 * qkv: (token, query, key and value heads, headDim), dimensions of a rotated pair side by side. One invocation a head.
 */
export function headsShader(shape: {
  heads: number
  kvHeads: number
  headDim: number
  epsilon: number
}): Shader {
  const { heads, kvHeads, headDim, epsilon } = shape
  const pairs = headDim / 2
  return {
    label: 'heads',
    bindings: [
      stepBinding,
      { name: 'qkv', access: 'read', type: 'array<vec2<f32>>' },
      { name: 'queryNorm', access: 'read', type: 'array<vec2<f32>>' },
      { name: 'keyNorm', access: 'read', type: 'array<vec2<f32>>' },
      { name: 'rotations', access: 'read', type: 'array<vec2<f32>>' },
      { name: 'queries', access: 'read_write', type: 'array<vec2<f32>>' },
      { name: 'cache', access: 'read_write', type: 'array<u32>' },
    ],
    constants: { heads, kvHeads },
    source: /* wgsl */ `
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let head = id.x;
  if (head >= heads + 2u * kvHeads) { return; }
  let base = (id.y * (heads + 2u * kvHeads) + head) * ${pairs}u;
  let position = step.start + id.y;
  var squares = 0.0;
  for (var i = 0u; i < ${pairs}u; i++) { squares += dot(qkv[base + i], qkv[base + i]); }
  let root = inverseSqrt(squares / ${headDim}.0 + f32(${epsilon}));
  let cached = ((head - heads) * step.capacity + position) * ${pairs}u;
  for (var i = 0u; i < ${pairs}u; i++) {
    var y = qkv[base + i];
    if (head < heads + kvHeads) {
      y *= root * select(keyNorm[i], queryNorm[i], head < heads);
      let turn = rotations[position * ${pairs}u + i];
      y = vec2<f32>(y.x * turn.x - y.y * turn.y, y.x * turn.y + y.y * turn.x);
    }
    if (head < heads) {
      queries[(id.y * heads + head) * ${pairs}u + i] = y;
    } else {
      cache[cached + i] = pack2x16float(y);
    }
  }
}
`,
  }
}

/**
 * Copies `step.count` keys and values of a layer, from `step.start` on, into `moved`, which has room for so many
 * `positions`; keys are turned to their new positions. One invocation a position and lane.
 */
export function shiftShader(shape: { kvHeads: number; headDim: number; positions: number }): Shader {
  const pairs = shape.headDim / 2
  return {
    label: 'shift',
    bindings: [
      stepBinding,
      { name: 'cache', access: 'read', type: 'array<u32>' },
      { name: 'turns', access: 'read', type: 'array<vec2<f32>>' },
      { name: 'moved', access: 'read_write', type: 'array<u32>' },
    ],
    constants: { kvHeads: shape.kvHeads, positions: shape.positions },
    source: /* wgsl */ `
@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= step.count) { return; }
  let source = (id.y * step.capacity + step.start + id.x) * ${pairs}u;
  let to = (id.y * positions + id.x) * ${pairs}u;
  for (var i = 0u; i < ${pairs}u; i++) {
    var y = unpack2x16float(cache[source + i]);
    if (id.y < kvHeads) {
      let turn = turns[i];
      y = vec2<f32>(y.x * turn.x - y.y * turn.y, y.x * turn.y + y.y * turn.x);
    }
    moved[to + i] = pack2x16float(y);
  }
}
`,
  }
}
