import type { ByteSource } from '../../contract/bytes'
import { EngineError } from '../../contract/error'
import { blockLayouts } from '../../gguf/block-layout'
import { dequantize } from '../../gguf/blocks'
import type { GgmlType, GgufTensor } from '../../gguf/types'
import type { LayerDefinition, ModelDefinition, Rope } from '../../model/definition'
import { elementCount, rowCount, tensorsOf } from '../../model/model-tensors'
import type { Arena } from './arena'
import type { Kernels } from './kernel-module'
import { layerFields, matrixFields, modelFields, recordBytes, writeRecord } from './records'

/** Most bytes of a tensor that are staged at once. */
const STAGING_BYTES = 2 ** 19

/** Kinds of matrices that stay rows of floats (kernels/structs.ts). */
const floatKinds: Partial<Record<GgmlType, number>> = { F32: 3, F16: 4, BF16: 5 }

export interface LoadedModel {
  /** Pointer of the kernels' Model record. */
  readonly pointer: number
  readonly weightsBytes: number
  /** Rotation tables, in the order that layers name them. */
  readonly ropes: readonly Rope[]
}

interface LoadWeightsOptions {
  model: ModelDefinition
  bytes: ByteSource
  arena: Arena
  kernels: Kernels
  signal?: AbortSignal | undefined
  onProgress?: ((loadedBytes: number, totalBytes: number) => void) | undefined
}

/** Reads every tensor once, in the order of the file, and leaves it in memory as the kernels want it. */
export async function loadWeights(options: LoadWeightsOptions): Promise<LoadedModel> {
  const { model, bytes, arena, kernels, signal, onProgress } = options
  const { matrices, vectors } = tensorsOf(model)
  const tensors = [...new Set([...matrices, ...vectors])].toSorted((a, b) => a.offsetBytes - b.offsetBytes)
  const totalBytes = tensors.reduce((sum, tensor) => sum + tensor.sizeBytes, 0)
  const pointers = new Map<GgufTensor, number>()
  const before = arena.usedBytes
  // Everything that stays is laid out first, so that the staging area lies behind it and can be reused.
  for (const tensor of tensors) {
    const what = `Tensor ${tensor.name}`
    const size = matrices.has(tensor) ? packedBytes(kernels, tensor) : elementCount(tensor) * 4
    const data = arena.allocate(size, what)
    if (!matrices.has(tensor)) {
      pointers.set(tensor, data)
      continue
    }
    const record = arena.allocate(recordBytes(matrixFields), what)
    writeRecord(arena.buffer, record, matrixFields, {
      kind: matrixKind(kernels, tensor),
      rows: rowCount(tensor),
      columns: tensor.shape[0]!,
      data,
    })
    pointers.set(tensor, record)
  }
  const pointer = writeModel(model, arena, (tensor) => (tensor === null ? 0 : pointers.get(tensor)!))
  const weightsBytes = arena.usedBytes - before
  const staging = arena.allocate(STAGING_BYTES + 64, 'Loading')
  let loadedBytes = 0
  try {
    for (const tensor of tensors) {
      signal?.throwIfAborted()
      const target = pointers.get(tensor)!
      if (matrices.has(tensor)) {
        const data = new DataView(arena.buffer).getUint32(target + 12, true)
        await loadMatrix(tensor, data, staging, options)
      } else {
        const out = new Float32Array(elementCount(tensor))
        dequantize(tensor.type, await bytes.read(tensor.offsetBytes, tensor.sizeBytes, { signal }), out)
        new Float32Array(arena.buffer, target, out.length).set(out)
      }
      loadedBytes += tensor.sizeBytes
      onProgress?.(loadedBytes, totalBytes)
    }
  } finally {
    arena.release(staging)
  }
  return { pointer, weightsBytes, ropes: ropesOf(model) }
}

/** Repacks a matrix piece by piece; rows of a piece are whole and, except in the last, a multiple of 8. */
async function loadMatrix(
  tensor: GgufTensor,
  data: number,
  staging: number,
  { bytes, arena, kernels, signal }: LoadWeightsOptions,
): Promise<void> {
  const rows = rowCount(tensor)
  const columns = tensor.shape[0]!
  const rowBytes = tensor.sizeBytes / rows
  const isFloat = floatKinds[tensor.type] !== undefined
  const kind = matrixKind(kernels, tensor)
  const rowsAtOnce = Math.max(8, Math.floor(STAGING_BYTES / rowBytes / 8) * 8)
  if (!isFloat && rowsAtOnce * rowBytes > STAGING_BYTES) {
    throw new EngineError('unsupported', `Tensor ${tensor.name} has ${columns} columns: too many to load.`)
  }
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - row)
    const piece = await bytes.read(tensor.offsetBytes + row * rowBytes, count * rowBytes, { signal })
    if (isFloat) {
      new Uint8Array(arena.buffer).set(piece, data + row * rowBytes)
      continue
    }
    new Uint8Array(arena.buffer).set(piece, staging)
    const target = data + (row / 8) * kernels.groupBytes(kind, columns)
    kernels.repack(blockLayouts[tensor.type].id, staging, count, columns, target, staging + STAGING_BYTES)
  }
}

function writeModel(
  model: ModelDefinition,
  arena: Arena,
  pointerOf: (tensor: GgufTensor | null) => number,
): number {
  const ropes = ropesOf(model)
  const rope = ropes[0]!
  const layers = arena.allocate(model.layers.length * recordBytes(layerFields), 'The model')
  model.layers.forEach((layer, index) => {
    writeRecord(
      arena.buffer,
      layers + index * recordBytes(layerFields),
      layerFields,
      layerRecord(layer, ropes.indexOf(layer.rope), pointerOf),
    )
  })
  const pointer = arena.allocate(recordBytes(modelFields), 'The model')
  writeRecord(arena.buffer, pointer, modelFields, {
    layerCount: model.layers.length,
    layers,
    embedding: model.embeddingLength,
    headCount: model.headCount,
    kvHeadCount: model.kvHeadCount,
    headDim: model.headDim,
    feedForward: model.feedForwardLength,
    vocabulary: model.vocabularySize,
    normEpsilon: model.normEpsilon,
    embeddingScale: model.embeddingScale,
    attentionScale: model.attentionScale,
    attentionSoftcap: model.attentionSoftcap ?? 0,
    logitSoftcap: model.logitSoftcap ?? 0,
    activation: model.activation === 'gelu' ? 1 : 0,
    ropeDimensions: rope.dimensionCount,
    ropeStyle: rope.style === 'half' ? 1 : 0,
    tokenEmbedding: pointerOf(model.tokenEmbedding),
    outputNorm: pointerOf(model.outputNorm),
    outputHead: pointerOf(model.outputHead),
    ...codeLimits(model.headDim),
  })
  return pointer
}

function layerRecord(
  layer: LayerDefinition,
  rope: number,
  pointerOf: (tensor: GgufTensor | null) => number,
): Record<keyof typeof layerFields, number> {
  return {
    attentionNorm: pointerOf(layer.attentionNorm),
    query: pointerOf(layer.query),
    key: pointerOf(layer.key),
    value: pointerOf(layer.value),
    queryBias: pointerOf(layer.queryBias),
    keyBias: pointerOf(layer.keyBias),
    valueBias: pointerOf(layer.valueBias),
    queryNorm: pointerOf(layer.queryNorm),
    keyNorm: pointerOf(layer.keyNorm),
    output: pointerOf(layer.output),
    postAttentionNorm: pointerOf(layer.postAttentionNorm),
    feedForwardNorm: pointerOf(layer.feedForwardNorm),
    gate: pointerOf(layer.gate),
    up: pointerOf(layer.up),
    down: pointerOf(layer.down),
    postFeedForwardNorm: pointerOf(layer.postFeedForwardNorm),
    rope,
    window: layer.window ?? 0,
  }
}

/** The distinct rotations of a model; layers share them by identity or by equal frequencies. */
function ropesOf(model: ModelDefinition): Rope[] {
  return [...new Set(model.layers.map((layer) => layer.rope))]
}

/** Largest codes of queries and keys whose products over a head fit 31 bits (kernels/attention.ts). */
function codeLimits(headDim: number): { queryLimit: number; keyLimit: number } {
  const bits = Math.floor(31 - Math.log2(headDim))
  const keyBits = Math.floor(bits / 2)
  return { queryLimit: 2 ** (bits - keyBits) - 1, keyLimit: 2 ** keyBits - 1 }
}

function matrixKind(kernels: Kernels, tensor: GgufTensor): number {
  const floatKind = floatKinds[tensor.type]
  if (floatKind !== undefined) return floatKind
  return kernels.matrixKind(blockLayouts[tensor.type].id)
}

function packedBytes(kernels: Kernels, tensor: GgufTensor): number {
  const columns = tensor.shape[0]!
  if (floatKinds[tensor.type] !== undefined) return tensor.sizeBytes
  return Math.ceil(rowCount(tensor) / 8) * kernels.groupBytes(matrixKind(kernels, tensor), columns)
}
