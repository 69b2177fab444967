import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { GpuMemory } from '../../src/backend/webgpu/gpu-memory'
import { Planner } from '../../src/backend/webgpu/plan'
import { type Shader, shaderText } from '../../src/backend/webgpu/shaders/shader'
import { shiftShader } from '../../src/backend/webgpu/shaders/vectors'
import { chooseVariant, variantNamed, type VariantName } from '../../src/backend/webgpu/variant'
import { type GpuWeights, loadWeights } from '../../src/backend/webgpu/weights'
import { parseGguf } from '../../src/gguf/parse'
import type { GgmlType } from '../../src/gguf/types'
import { readModel } from '../../src/model/read-model'
import { memorySource } from '../../src/store/memory-source'
import { type TinyArchitecture, tinyModel } from '../fixtures/tiny-models'

const VARIANTS: readonly VariantName[] = [
  'serial',
  'serial-f16',
  'serial-i8',
  'workgroup',
  'workgroup-f16',
  'workgroup-i8',
  'subgroup',
  'subgroup-f16',
  'subgroup-i8',
]

/** Every family, every kind of matrix, and every way scales and minima come. */
const MODELS: readonly (readonly [TinyArchitecture, GgmlType])[] = [
  ['llama', 'Q4_1'],
  ['llama', 'F32'],
  ['qwen2', 'Q4_0'],
  ['qwen2', 'F16'],
  ['qwen3', 'Q6_K'],
  ['qwen3', 'BF16'],
  ['gemma3', 'Q8_0'],
  ['gemma3', 'Q2_K'],
  ['llama', 'Q3_K'],
  ['qwen2', 'Q5_1'],
]

type Loaded = Pick<Parameters<typeof loadWeights>[0], 'model'> & { weights: GpuWeights }
const loaded = new Map<string, Promise<Loaded>>()

/** A planner of a tiny model whose buffers hold no GPU memory; what variants share is made once. */
async function plannerOf(architecture: TinyArchitecture, type: GgmlType, variant: VariantName) {
  const key = `${architecture} ${type}`
  const loading = loaded.get(key) ?? load(architecture, type)
  loaded.set(key, loading)
  const { model, weights } = await loading
  return { model, planner: new Planner(model, weights, variantNamed(variant)) }
}

async function load(architecture: TinyArchitecture, type: GgmlType): Promise<Loaded> {
  const bytes = memorySource(tinyModel({ architecture, type }))
  const model = await readModel(await parseGguf(bytes), bytes)
  const buffer = (sizeBytes: number): unknown => ({
    getMappedRange: () => new ArrayBuffer(sizeBytes),
    unmap: () => undefined,
  })
  const memory = {
    usedBytes: 0,
    maxBindingBytes: 2 ** 27,
    createMapped: buffer,
    upload: ({ byteLength }: Float32Array) => buffer(byteLength),
  } as unknown as GpuMemory
  return { model, weights: await loadWeights({ model, bytes, memory }) }
}

async function shadersOf(variant: VariantName): Promise<Map<string, Shader>> {
  const shaders = new Map<string, Shader>()
  for (const [architecture, type] of MODELS) {
    const { model, planner } = await plannerOf(architecture, type, variant)
    const steps = (['decode', 'batch'] as const).flatMap((mode) => [
      ...planner.layers(mode),
      ...planner.head(mode),
    ])
    const { kvHeadCount: kvHeads, headDim } = model
    const others = [...planner.top(), ...planner.feed(), ...planner.draw()]
    for (const shader of [
      ...[...steps, ...others].map((step) => step.shader),
      shiftShader({ kvHeads, headDim, positions: 128 }),
    ])
      shaders.set(shaderText(shader), shader)
  }
  return shaders
}

/** Of a var<workgroup> array of f32, vec4<f32> or atomics; nothing else lies there. */
function workgroupBytes(text: string): number {
  const arrays = [...text.matchAll(/var<workgroup> \w+: array<(f32|vec4<f32>), (\d+)>/g)]
  expect(arrays).toHaveLength([...text.matchAll(/var<workgroup>/g)].length)
  return arrays.reduce((sum, [, type, count]) => sum + Number(count) * (type === 'f32' ? 4 : 16), 0)
}

describe.each(VARIANTS)('kernels of %s', (variant) => {
  it('stay within what every device allows', async () => {
    const shaders = await shadersOf(variant)
    expect(shaders.size).toBeGreaterThan(20)
    for (const [text, { label, bindings }] of shaders) {
      const size = Number(/@workgroup_size\((\d+)\)/.exec(text)?.[1])
      expect(size, label).toBeGreaterThan(0)
      expect(size, label).toBeLessThanOrEqual(256)
      expect(bindings.filter(({ access }) => access !== 'uniform').length, label).toBeLessThanOrEqual(8)
      expect(workgroupBytes(text), label).toBeLessThanOrEqual(16_384)
      if (variant.startsWith('serial')) expect(text, label).not.toContain('workgroupBarrier')
    }
  })
})

// The others compile in Chromium, where their results are tested (tests/browser/webgpu-backend.spec.ts); half floats its
// software adapter lacks. Two compilers find different mistakes.
describe.each(['serial-f16', 'workgroup-f16', 'subgroup-f16'] as const)('kernels of %s', (variant) => {
  it.skipIf(!has('tint'))('compile with tint', async () => {
    expect(
      refusals(await shadersOf(variant), (file) => ['tint', '--format', 'wgsl', '-o', '/dev/null', file]),
    ).toEqual([])
  })

  // naga does not know `enable subgroups` yet.
  it.skipIf(!has('naga') || variant.startsWith('subgroup'))('compile with naga', async () => {
    expect(refusals(await shadersOf(variant), (file) => ['naga', file])).toEqual([])
  })
})

describe('the variant a device gets', () => {
  it.each([
    [['shader-f16', 'subgroups'], 'subgroup-f16'],
    [['subgroups'], 'subgroup'],
    [['shader-f16'], 'workgroup-f16'],
    [[], 'workgroup'],
  ] as const)('with %j is %s; in software it is serial', (names, variant) => {
    const features: ReadonlySet<string> = new Set(names)
    expect(chooseVariant({ features }, false)).toBe(variant)
    expect(chooseVariant({ features }, true)).toBe('serial')
  })
})

describe('a decode step', () => {
  // Where query and key are normed (Qwen 3, Gemma 3), and behind Gemma's outputs, further ones are needed.
  it.each([
    ['llama', 6],
    ['qwen2', 6],
    ['qwen3', 7],
    ['gemma3', 9],
  ] as const)('of %s takes at most %i dispatches a layer', async (architecture, limit) => {
    const { model, planner } = await plannerOf(architecture, 'Q4_1', 'workgroup')
    const perLayer = (planner.layers('decode').length - 1) / model.layers.length
    expect(perLayer).toBeLessThanOrEqual(limit)
  })
})

function has(command: string): boolean {
  return spawnSync(command, ['--help']).error === undefined
}

/** What a compiler says of shaders that it refuses. */
function refusals(shaders: ReadonlyMap<string, Shader>, command: (file: string) => string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'minnow-wgsl-'))
  const said: string[] = []
  for (const [text, { label }] of shaders) {
    const file = join(folder, 'kernel.wgsl')
    writeFileSync(file, text)
    const [program, ...args] = command(file)
    try {
      execFileSync(program!, args, { stdio: 'pipe' })
    } catch (error) {
      said.push(`${label}: ${String((error as { stderr?: Buffer }).stderr)}`)
    }
  }
  rmSync(folder, { recursive: true })
  return said
}
