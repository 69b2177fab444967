/** A compute shader: its bindings in order of their numbers, and what follows their declarations. */
export interface Shader {
  /** For messages and for the names of GPU objects. */
  readonly label: string
  readonly bindings: readonly Binding[]
  /** Values of the `override` constants. */
  readonly constants: Readonly<Record<string, number>>
  readonly source: string
  /** Extensions of WGSL it needs. */
  readonly enables?: readonly WgslExtension[]
}

export type WgslExtension = 'f16' | 'subgroups'

export interface Binding {
  readonly name: string
  readonly access: 'uniform' | 'read' | 'read_write'
  /** WGSL type. */
  readonly type: string
}

/** What changes from step to step: written once a forward pass, read by every kernel. */
export const STEP = /* wgsl */ `
struct Step {
  /** Tokens in the KV cache before this pass. */
  start: u32,
  /** Tokens of this pass. */
  count: u32,
  /** Positions the KV cache has room for. */
  capacity: u32,
  /** First token of this pass whose logits are wanted, and how many rows of them there are. */
  firstOutput: u32,
  outputs: u32,
  /** Row of the summaries that holds the newest output of the pass before. */
  newestRow: u32,
  /** Of a token that is drawn (Draw of backend.ts). */
  topK: u32,
  temperature: f32,
  topP: f32,
  minP: f32,
  quantile: f32,
  /** Of a further sum in the summaries; 0: none. */
  sumTemperature: f32,
}
`
export const STEP_WORDS = 12
export const stepBinding: Binding = { name: 'step', access: 'uniform', type: 'Step' }

/** The shader's whole text. */
export function shaderText({ bindings, constants, source, enables = [] }: Shader): string {
  const overrides = Object.entries(constants).map(
    ([name, value]) => `override ${name}: ${Number.isInteger(value) && value >= 0 ? 'u32' : 'f32'};`,
  )
  const declarations = bindings.map(({ name, access, type }, index) => {
    const space = access === 'uniform' ? 'uniform' : `storage, ${access}`
    return `@group(0) @binding(${index}) var<${space}> ${name}: ${type};`
  })
  const extensions = enables.map((name) => `enable ${name};`)
  return [...extensions, STEP, ...overrides, ...declarations, source].join('\n')
}
