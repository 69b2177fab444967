import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadReference } from '../../src/backend/reference/load'
import type { WebGpuVariantName } from '../../src/backend/webgpu'
import { loadWebGpuVariant } from '../../src/backend/webgpu'
import { matrixFormats } from '../../src/backend/webgpu/matrix-format'
import { chooseVariant, variantNamed } from '../../src/backend/webgpu/variant'
import { ggmlTypes } from '../../src/gguf/block-layout'
import { parseGguf } from '../../src/gguf/parse'
import type { GgmlType } from '../../src/gguf/types'
import { readModel } from '../../src/model/read-model'
import { memorySource } from '../../src/store/memory-source'
import { runScript, type SessionStep } from '../browser/backend-page/session-script'
import { boundOf, storedError } from '../browser/webgpu-kernels/products'
import { runKernels } from '../browser/webgpu-kernels/run-kernels'
import { AgreementCounter, logSoftmax } from '../conformance/agreement'
import { type TinyArchitecture, tinyModel } from '../fixtures/tiny-models'
import { openDawn } from './dawn'

// Half floats and subgroups at once, which is what most GPUs have and no software adapter of a browser: Dawn in Node on
// Mesa's lavapipe, from version 24 on (Debian 12: mesa-vulkan-drivers of bookworm-backports). Run by
//   npm i --no-save webgpu
//   MINNOW_DAWN=node_modules/webgpu VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.json npm test -- webgpu-dawn

const gpu = await openDawn(['shader-f16', 'subgroups'])

/** Few: their kernels take this driver minutes to compile. */
const CASES: readonly (readonly [WebGpuVariantName, TinyArchitecture, GgmlType])[] = [
  ['subgroup-f16', 'llama', 'Q4_1'],
  ['subgroup-f16', 'qwen3', 'Q6_K'],
]

const tokens = Array.from({ length: 60 }, (_, i) => (i * i * 7 + i * 31 + 5) % 301)
const steps: SessionStep[] = [
  { forward: tokens.slice(0, 37), outputs: 37 },
  { forward: tokens.slice(37, 38) },
  { forward: tokens.slice(38, 39) },
  { follow: 2 },
  { truncate: 39 },
  { forward: tokens.slice(39), outputs: 21 },
]

describe.skipIf(gpu === null)('WebGPU with half floats and subgroups (needs Dawn: see tests/dawn)', () => {
  let adapter: GPUAdapter
  beforeAll(async () => {
    adapter = (await gpu!.requestAdapter())!
    console.info(adapter.info.description, adapter.info.subgroupMinSize, adapter.info.subgroupMaxSize)
  })
  // Node stays while it is there.
  afterAll(() => void Reflect.deleteProperty(globalThis, 'navigator'))

  it('is what a GPU with both gets', () => {
    expect(chooseVariant(adapter as unknown as GPUDevice, false)).toBe('subgroup-f16')
  })

  it.each(ggmlTypes.filter((type) => matrixFormats[type].scales > 0))(
    'products of %s are right: subgroup-f16, a token',
    async (type) => {
      const tile = variantNamed('subgroup-f16').decode
      const error = await storedError((run) => runKernels((work, given) => work(given), run), type, tile)
      console.info(type, error)
      expect(error).toBeLessThanOrEqual(boundOf(type, tile))
    },
  )

  it.each(CASES)('%s: a tiny %s in %s agrees with the reference', async (variant, architecture, type) => {
    const bytes = memorySource(tinyModel({ architecture, type }))
    const model = await readModel(await parseGguf(bytes), bytes)
    const reference = await loadReference({ model, bytes })
    const wanted = await runScript(reference, 64, steps)
    const backend = await loadWebGpuVariant({ model, bytes }, variant)
    const got = await runScript(backend, 64, steps)
    backend.dispose()
    const [base, rows] = [wanted, got].map((results) =>
      results
        .flatMap(({ outputs }) => outputs)
        .map(({ values, logSumExp }) => logSoftmax(Float32Array.from(values!), logSumExp)),
    ) as [Float32Array[], Float32Array[]]
    expect(rows).toHaveLength(62)
    const counter = new AgreementCounter()
    base.forEach((logprobs, i) => counter.add({ ids: null, logprobs }, rows[i]!))
    const { top1ApartFromNearTies, meanKl } = counter.result()
    console.info(variant, architecture, type, meanKl)
    expect(top1ApartFromNearTies).toBe(1)
    expect(meanKl).toBeLessThanOrEqual(1e-4)
  })
})
