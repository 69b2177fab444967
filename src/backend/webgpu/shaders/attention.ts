import { type Shader, stepBinding } from './shader'

/**
 * Grouped-query attention over the KV cache of a layer, softmax taken online (https://arxiv.org/abs/2112.05682).
 *
 * The cache is (2: keys then values, kvHeads, capacity, headDim / 2) × u32, each two dimensions as f16.
 * The positions a token sees are cut in `splits` runs. With one split the result is final; with more each run leaves
 * its unnormalised output, maximum and sum in `partials` (token, head, split, headDim + 2), and `mergeShader` adds up.
 */
export interface AttentionShape {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly scale: number
  readonly softcap: number | null
  /** A token at p sees (p − window, p]; null: all before it. */
  readonly window: number | null
  readonly splits: number
  /** Floats from one token to the next in `queries`. */
  readonly queryStride: number
}

/** Positions whose scores one workgroup makes at a time; its number of invocations too. */
export const ATTENTION_WIDTH = 64

/** One invocation for each token, head and split: no barrier, for software adapters. */
export function serialAttentionShader(shape: AttentionShape): Shader {
  const quads = shape.headDim / 4
  const source = /* wgsl */ `
${scoreText(shape)}
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let unit = id.x;
  if (unit >= heads * splits) { return; }
  let head = unit / splits;
  let split = unit % splits;
  let token = id.y;
  let kvHead = head * kvHeads / heads;
  let range = positionsOf(token, split);
  var query: array<vec4<f32>, ${quads}>;
  for (var i = 0u; i < ${quads}u; i++) { query[i] = queries[token * (queryStride / 4u) + head * ${quads}u + i]; }
  var sum = 0.0;
  var maximum = -3.0e38;
  var mixed: array<vec4<f32>, ${quads}>;
  for (var position = range.x; position < range.y; position++) {
    let key = (kvHead * step.capacity + position) * ${quads}u;
    var product = 0.0;
    for (var i = 0u; i < ${quads}u; i++) { product += dot(query[i], halves(cache[key + i])); }
    let score = capped(product * scale);
    if (score > maximum) {
      let fade = exp(maximum - score);
      maximum = score;
      sum *= fade;
      for (var i = 0u; i < ${quads}u; i++) { mixed[i] *= fade; }
    }
    let weight = exp(score - maximum);
    sum += weight;
    let value = ((kvHeads + kvHead) * step.capacity + position) * ${quads}u;
    for (var i = 0u; i < ${quads}u; i++) { mixed[i] += weight * halves(cache[value + i]); }
  }
  ${
    shape.splits === 1
      ? `let to = (token * heads + head) * ${quads}u;
  for (var i = 0u; i < ${quads}u; i++) { out[to + i] = mixed[i] / sum; }`
      : `let to = ((token * heads + head) * splits + split) * ${quads + 1}u;
  for (var i = 0u; i < ${quads}u; i++) { out[to + i] = mixed[i]; }
  out[to + ${quads}u] = vec4<f32>(maximum, sum, 0.0, 0.0);`
  }
}
`
  return shaderOf('serial attention', shape, source)
}

/** A workgroup for each head, split and run of `tokens` tokens, which share the keys and values it reads. */
export function tiledAttentionShader(shape: AttentionShape, tokens: number): Shader {
  const { headDim } = shape
  const quads = headDim / 4
  const width = ATTENTION_WIDTH
  const ids = Array.from({ length: tokens }, (_, t) => t)
  // In the second half an invocation owns quads index, index + width, … of every token's output.
  const owned = Math.ceil((quads * tokens) / width)
  const source = /* wgsl */ `
${scoreText(shape)}
var<workgroup> query: array<vec4<f32>, ${quads * tokens}>;
var<workgroup> weights: array<f32, ${width * tokens}>;
var<workgroup> largest: array<f32, ${tokens}>;

@compute @workgroup_size(${width})
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let head = workgroup.x / splits;
  let split = workgroup.x % splits;
  let firstToken = workgroup.y * ${tokens}u;
  let kvHead = head * kvHeads / heads;
  for (var i = index; i < ${quads * tokens}u; i += ${width}u) {
    let token = min(firstToken + i / ${quads}u, step.count - 1u);
    query[i] = queries[token * (queryStride / 4u) + head * ${quads}u + i % ${quads}u];
  }
  workgroupBarrier();
  ${ids.map((t) => `let range_${t} = positionsOf(min(firstToken + ${t}u, step.count - 1u), split);`).join('\n  ')}
  let begin = range_0.x;
  let end = range_${tokens - 1}.y;
  ${ids.map((t) => `var sum_${t} = 0.0; var maximum_${t} = -3.0e38;`).join('\n  ')}
  var mixed: array<vec4<f32>, ${owned}>;
  for (var base = begin; base < end; base += ${width}u) {
    let position = base + index;
    ${ids.map((t) => `var score_${t} = 0.0;`).join(' ')}
    if (position < end) {
      let key = (kvHead * step.capacity + position) * ${quads}u;
      for (var i = 0u; i < ${quads}u; i++) {
        let quad = halves(cache[key + i]);
        ${ids.map((t) => `score_${t} += dot(query[${t * quads}u + i], quad);`).join('\n        ')}
      }
    }
    ${ids
      .map(
        (
          t,
        ) => `score_${t} = select(-3.0e38, capped(score_${t} * scale), position >= range_${t}.x && position < range_${t}.y);
    weights[${t * width}u + index] = score_${t};`,
      )
      .join('\n    ')}
    workgroupBarrier();
    if (index < ${tokens}u) {
      var top = -3.0e38;
      for (var i = 0u; i < ${width}u; i++) { top = max(top, weights[index * ${width}u + i]); }
      largest[index] = top;
    }
    workgroupBarrier();
    ${ids
      .map(
        (t) => `let newest_${t} = max(maximum_${t}, largest[${t}u]);
    let fade_${t} = exp(maximum_${t} - newest_${t});
    maximum_${t} = newest_${t};
    weights[${t * width}u + index] = select(0.0, exp(score_${t} - newest_${t}), score_${t} > -1.0e38);`,
      )
      .join('\n    ')}
    workgroupBarrier();
    ${ids
      .map(
        (t) => `sum_${t} *= fade_${t};
    for (var i = 0u; i < ${width}u; i++) { sum_${t} += weights[${t * width}u + i]; }`,
      )
      .join('\n    ')}
    let seen = min(${width}u, end - base);
    for (var o = 0u; o < ${owned}u; o++) {
      let item = index + o * ${width}u;
      if (item < ${quads * tokens}u) {
        let t = item / ${quads}u;
        var fade = fade_0;
        ${ids
          .slice(1)
          .map((t) => `if (t == ${t}u) { fade = fade_${t}; }`)
          .join(' ')}
        var total = mixed[o] * fade;
        var value = ((kvHeads + kvHead) * step.capacity + base) * ${quads}u + item % ${quads}u;
        for (var i = 0u; i < seen; i++) {
          total += weights[t * ${width}u + i] * halves(cache[value]);
          value += ${quads}u;
        }
        mixed[o] = total;
      }
    }
    workgroupBarrier();
  }
  for (var o = 0u; o < ${owned}u; o++) {
    let item = index + o * ${width}u;
    if (item < ${quads * tokens}u) {
      let t = item / ${quads}u;
      let token = firstToken + t;
      var sum = sum_0;
      var maximum = maximum_0;
      ${ids
        .slice(1)
        .map((t) => `if (t == ${t}u) { sum = sum_${t}; maximum = maximum_${t}; }`)
        .join(' ')}
      if (token < step.count) {
        ${
          shape.splits === 1
            ? `out[(token * heads + head) * ${quads}u + item % ${quads}u] = mixed[o] / sum;`
            : `let to = ((token * heads + head) * splits + split) * ${quads + 1}u;
        out[to + item % ${quads}u] = mixed[o];
        if (item % ${quads}u == 0u) { out[to + ${quads}u] = vec4<f32>(maximum, sum, 0.0, 0.0); }`
        }
      }
    }
  }
}
`
  return shaderOf(`tiled attention of ${tokens}`, shape, source)
}

/** Merges the splits of every token and head: one invocation for each quad of the output. */
export function mergeShader({ heads, headDim, splits }: AttentionShape): Shader {
  const quads = headDim / 4
  return {
    label: 'merge attention',
    bindings: [
      stepBinding,
      { name: 'partials', access: 'read', type: 'array<vec4<f32>>' },
      { name: 'out', access: 'read_write', type: 'array<vec4<f32>>' },
    ],
    constants: { heads, splits },
    source: /* wgsl */ `
@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= heads * ${quads}u) { return; }
  let base = (id.y * heads + id.x / ${quads}u) * splits * ${quads + 1}u;
  var maximum = -3.0e38;
  for (var s = 0u; s < splits; s++) { maximum = max(maximum, partials[base + s * ${quads + 1}u + ${quads}u].x); }
  var sum = 0.0;
  var mixed = vec4<f32>();
  for (var s = 0u; s < splits; s++) {
    let at = base + s * ${quads + 1}u;
    let statistics = partials[at + ${quads}u];
    let weight = exp(statistics.x - maximum);
    sum += weight * statistics.y;
    mixed += weight * partials[at + id.x % ${quads}u];
  }
  out[id.y * heads * ${quads}u + id.x] = mixed / sum;
}
`,
  }
}

function shaderOf(label: string, shape: AttentionShape, source: string): Shader {
  const { heads, kvHeads, splits, queryStride } = shape
  return {
    label,
    bindings: [
      stepBinding,
      { name: 'queries', access: 'read', type: 'array<vec4<f32>>' },
      { name: 'cache', access: 'read', type: 'array<vec2<u32>>' },
      { name: 'out', access: 'read_write', type: 'array<vec4<f32>>' },
    ],
    constants: { heads, kvHeads, splits, queryStride },
    source,
  }
}

function scoreText({ scale, softcap, window }: AttentionShape): string {
  return /* wgsl */ `
const scale = f32(${scale});
fn halves(pair: vec2<u32>) -> vec4<f32> { return vec4<f32>(unpack2x16float(pair.x), unpack2x16float(pair.y)); }
fn capped(score: f32) -> f32 {
  return ${softcap === null ? 'score' : `f32(${softcap}) * tanh(clamp(score / f32(${softcap}), -15.0, 15.0))`};
}
/** First position of a split and the one behind its last. */
fn positionsOf(token: u32, split: u32) -> vec2<u32> {
  let end = step.start + token + 1u;
  let begin = ${window === null ? '0u' : `max(end, ${window}u) - ${window}u`};
  let run = (end - begin + splits - 1u) / splits;
  return vec2<u32>(min(begin + split * run, end), min(begin + (split + 1u) * run, end));
}
`
}
