import { type Shader, stepBinding } from './shader'

/** Logits one invocation summarises. */
export const CHUNK_ROWS = 128
/** Floats of a row's summary: argmax (exact below 2^24), maximum, Σ e^(x − maximum), Σ e^(x − maximum) (x − maximum), second largest, Σ e^((x − maximum) / temperature). */
export const SUMMARY_FLOATS = 8

/** Caps logits where the model does, and summarises each run of CHUNK_ROWS. */
export function chunkShader(shape: { vocabulary: number; stride: number; softcap: number | null }): Shader {
  const chunks = Math.ceil(shape.vocabulary / CHUNK_ROWS)
  const { softcap } = shape
  return {
    label: 'logits of a chunk',
    bindings: [
      stepBinding,
      { name: 'logits', access: 'read_write', type: 'array<f32>' },
      { name: 'chunks', access: 'read_write', type: 'array<vec4<f32>>' },
    ],
    constants: { chunkCount: chunks, vocabulary: shape.vocabulary, stride: shape.stride },
    source: /* wgsl */ `
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= chunkCount) { return; }
  let row = id.y * stride;
  let base = id.x * ${CHUNK_ROWS}u;
  let to = min(base + ${CHUNK_ROWS}u, vocabulary);
  var best = base;
  var maximum = -3.0e38;
  var second = -3.0e38;
  for (var i = base; i < to; i++) {
    ${
      softcap === null
        ? 'let value = logits[row + i];'
        : `let value = f32(${softcap}) * tanh(clamp(logits[row + i] / f32(${softcap}), -15.0, 15.0));
    logits[row + i] = value;`
    }
    if (value > maximum) { second = maximum; maximum = value; best = i; } else { second = max(second, value); }
  }
  var sum = 0.0;
  var weighted = 0.0;
  for (var i = base; i < to; i++) {
    let below = logits[row + i] - maximum;
    // As good as nothing; of −Infinity, below times its power is no number.
    if (below < -80.0) { continue; }
    sum += exp(below);
    weighted += exp(below) * below;
  }
  var tempered = 0.0;
  if (step.sumTemperature > 0.0) {
    for (var i = base; i < to; i++) { tempered += exp(max((logits[row + i] - maximum) / step.sumTemperature, -80.0)); }
  }
  let at = (id.y * chunkCount + id.x) * 2u;
  chunks[at] = vec4<f32>(f32(best), maximum, sum, weighted);
  chunks[at + 1u] = vec4<f32>(second, tempered, 0.0, 0.0);
}
`,
  }
}

/** Merges a row's chunks, in order: one invocation a row. */
export function mergeChunksShader(shape: { vocabulary: number }): Shader {
  return {
    label: 'logits of a row',
    bindings: [
      stepBinding,
      { name: 'chunks', access: 'read', type: 'array<vec4<f32>>' },
      { name: 'summary', access: 'read_write', type: 'array<vec4<f32>>' },
    ],
    constants: { chunkCount: Math.ceil(shape.vocabulary / CHUNK_ROWS) },
    source: /* wgsl */ `
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) id: vec3<u32>) {
  let base = id.y * chunkCount * 2u;
  var best = chunks[base].x;
  var maximum = -3.0e38;
  var second = -3.0e38;
  for (var c = 0u; c < chunkCount; c++) {
    let chunk = chunks[base + c * 2u];
    if (chunk.y > maximum) { second = max(maximum, chunks[base + c * 2u + 1u].x); maximum = chunk.y; best = chunk.x; }
    else { second = max(second, chunk.y); }
  }
  var sum = 0.0;
  var weighted = 0.0;
  var tempered = 0.0;
  for (var c = 0u; c < chunkCount; c++) {
    let chunk = chunks[base + c * 2u];
    let fade = exp(chunk.y - maximum);
    sum += chunk.z * fade;
    weighted += fade * (chunk.w + chunk.z * (chunk.y - maximum));
    if (step.sumTemperature > 0.0) {
      tempered += chunks[base + c * 2u + 1u].y * exp(max((chunk.y - maximum) / step.sumTemperature, -80.0));
    }
  }
  summary[id.y * 2u] = vec4<f32>(best, maximum, sum, weighted);
  summary[id.y * 2u + 1u] = vec4<f32>(second, tempered, 0.0, 0.0);
}
`,
  }
}

/** Largest bits first: a float's order as unsigned integers. */
const KEY = /* wgsl */ `
fn key(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return select(bits ^ 0x80000000u, ~bits, (bits >> 31u) == 1u);
}
`
/** Bits of the key that each round of the selection looks at, from the top. */
const ROUNDS = [
  { shift: 21, bins: 2048 },
  { shift: 10, bins: 2048 },
  { shift: 0, bins: 1024 },
] as const
const STRIP = 64

/**
 * The `count` largest logits of the first row, by radix selection over their bits: each round counts the candidates by
 * some bits, then finds the bin the wanted one lies in. `selection` holds the key's known bits, how many of them are
 * wanted yet and how many were taken; then the ids and values in any order.
 * Among equals at the very border it is left open which are taken.
 */
export function topShaders(shape: { vocabulary: number; count: number }): { shader: Shader; x: number }[] {
  const { vocabulary, count } = shape
  const x = Math.ceil(Math.ceil(vocabulary / STRIP) / 4)
  const logits = { name: 'logits', access: 'read', type: 'array<f32>' } as const
  const counts = { name: 'counts', access: 'read_write', type: 'array<atomic<u32>>' } as const
  const selection = { name: 'selection', access: 'read_write', type: 'array<atomic<u32>>' } as const
  const strip = (body: string): string => /* wgsl */ `
${KEY}
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  for (var i = id.x * ${STRIP}u; i < min(id.x * ${STRIP}u + ${STRIP}u, vocabulary); i++) {
    let k = key(logits[i]);
    ${body}
  }
}
`
  const rounds = ROUNDS.flatMap(({ shift, bins }, round) => {
    const known = round === 0 ? null : ROUNDS[round - 1]!.shift
    const isCandidate =
      known === null ? 'true' : `(k >> ${known}u) == (atomicLoad(&selection[0]) >> ${known}u)`
    return [
      {
        shader: {
          label: `count logits ${round}`,
          bindings: [stepBinding, logits, counts, selection],
          constants: { vocabulary },
          source: strip(`if (${isCandidate}) { atomicAdd(&counts[(k >> ${shift}u) & ${bins - 1}u], 1u); }`),
        },
        x,
      },
      {
        shader: {
          label: `find logits ${round}`,
          bindings: [stepBinding, counts, selection],
          constants: {},
          source: /* wgsl */ `
@compute @workgroup_size(1)
fn main() {
  var wanted = ${round === 0 ? `${count}u` : 'atomicLoad(&selection[1])'};
  var bin = ${bins - 1}u;
  var found = false;
  for (var i = 0u; i < ${bins}u; i++) {
    let b = ${bins - 1}u - i;
    let here = atomicExchange(&counts[b], 0u);
    if (found) { continue; }
    if (here >= wanted) { bin = b; found = true; } else { wanted -= here; }
  }
  atomicStore(&selection[0], ${round === 0 ? '0u' : 'atomicLoad(&selection[0])'} | (bin << ${shift}u));
  atomicStore(&selection[1], wanted);
  atomicStore(&selection[2], 0u);
  atomicStore(&selection[3], 0u);
}
`,
        },
        x: 1,
      },
    ]
  })
  return [
    ...rounds,
    {
      shader: {
        label: 'take logits',
        bindings: [stepBinding, logits, selection],
        constants: { vocabulary },
        source: strip(/* wgsl */ `let border = atomicLoad(&selection[0]);
    var take = k > border;
    if (k == border) { take = atomicAdd(&selection[3], 1u) < atomicLoad(&selection[1]); }
    if (take) {
      let at = ${SELECTION_HEAD}u + atomicAdd(&selection[2], 1u) * 2u;
      atomicStore(&selection[at], i);
      atomicStore(&selection[at + 1u], bitcast<u32>(logits[i]));
    }`),
      },
      x,
    },
  ]
}

/** Words before the ids and values of a selection. */
export const SELECTION_HEAD = 4
export const COUNT_BINS = 2048
