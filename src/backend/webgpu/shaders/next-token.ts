import { SELECTION_HEAD } from './logits'
import { type Shader, stepBinding } from './shader'

/** tokens[0] = the likeliest token of the newest output: the next step needs no word of the CPU. */
export function feedShader(): Shader {
  return {
    label: 'feed',
    bindings: [
      stepBinding,
      { name: 'summary', access: 'read', type: 'array<vec4<f32>>' },
      { name: 'tokens', access: 'read_write', type: 'array<u32>' },
    ],
    constants: {},
    source: /* wgsl */ `
@compute @workgroup_size(1)
fn main() { tokens[0] = u32(summary[step.newestRow * 2u].x); }
`,
  }
}

/**
 * tokens[0] = a token drawn from the selection (topShaders of logits.ts) of the newest output, in the order of the
 * engine's sampler: top-k → top-p → min-p → temperature → quantile; without top-k shares are those of all tokens. First the selection is put in order, an invocation
 * a place; then one invocation goes through it from the likeliest down.
 */
export function drawShaders(count: number): { shader: Shader; x: number }[] {
  const selection = { name: 'selection', access: 'read', type: 'array<u32>' } as const
  return [
    {
      shader: {
        label: 'rank logits',
        bindings: [stepBinding, selection, { name: 'ranked', access: 'read_write', type: 'array<u32>' }],
        constants: {},
        source: /* wgsl */ `
fn logitAt(i: u32) -> f32 { return bitcast<f32>(selection[${SELECTION_HEAD}u + i * 2u + 1u]); }
@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let count = min(selection[2], ${count}u);
  if (id.x >= count) { return; }
  let token = selection[${SELECTION_HEAD}u + id.x * 2u];
  let logit = logitAt(id.x);
  var rank = 0u;
  for (var i = 0u; i < count; i++) {
    let other = logitAt(i);
    if (other > logit || (other == logit && selection[${SELECTION_HEAD}u + i * 2u] < token)) { rank++; }
  }
  ranked[rank * 2u] = token;
  ranked[rank * 2u + 1u] = bitcast<u32>(logit);
}
`,
      },
      x: Math.ceil(count / 16),
    },
    {
      shader: {
        label: 'draw',
        bindings: [
          stepBinding,
          { name: 'ranked', access: 'read', type: 'array<u32>' },
          { name: 'summary', access: 'read', type: 'array<vec4<f32>>' },
          { name: 'tokens', access: 'read_write', type: 'array<u32>' },
        ],
        constants: {},
        source: /* wgsl */ `
fn below(i: u32) -> f32 { return bitcast<f32>(ranked[i * 2u + 1u]) - bitcast<f32>(ranked[1]); }
@compute @workgroup_size(1)
fn main() {
  let ofAll = step.topK == 0u;
  var kept = select(min(step.topK, ${count}u), ${count}u, ofAll);
  if (step.topP < 1.0) {
    var total = 0.0;
    for (var i = 0u; i < kept; i++) { total += exp(below(i)); }
    if (ofAll) { total = summary[step.newestRow * 2u].z; }
    var sum = 0.0;
    for (var i = 0u; i < kept; i++) {
      sum += exp(below(i));
      if (sum >= step.topP * total) { kept = i + 1u; }
    }
  }
  if (step.minP > 0.0) {
    for (var i = 1u; i < kept; i++) {
      if (below(i) < log(step.minP)) { kept = i; }
    }
  }
  var total = 0.0;
  for (var i = 0u; i < kept; i++) { total += exp(below(i) / step.temperature); }
  if (ofAll && step.topP >= 1.0 && step.minP <= 0.0) { total = summary[step.newestRow * 2u + 1u].y; }
  var sum = 0.0;
  var drawn = kept - 1u;
  for (var i = 0u; i < kept; i++) {
    sum += exp(below(i) / step.temperature);
    if (sum >= step.quantile * total) { drawn = min(drawn, i); }
  }
  tokens[0] = ranked[drawn * 2u];
}
`,
      },
      x: 1,
    },
  ]
}
