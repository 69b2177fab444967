import type { ByteSource } from '../../contract/bytes'
import { dequantize } from '../../gguf/blocks'
import type { GgufTensor } from '../../gguf/types'
import type { LayerDefinition, ModelDefinition, Rope } from '../../model/definition'
import { elementCount, rowCount, tensorsOf } from '../../model/model-tensors'
import type { GpuMemory } from './gpu-memory'
import {
  BLOCK_COLUMNS,
  GROUP_ROWS,
  matrixBytes,
  type MatrixFormat,
  matrixFormats,
  sameFormat,
} from './matrix-format'
import { type RowPacker, rowPacker } from './repack'

/** Most bytes read at once. */
const PIECE_BYTES = 2 ** 20

/** A run of a matrix's rows small enough for one binding. */
export interface MatrixPart {
  readonly codes: GPUBuffer
  /** null for floats. */
  readonly scales: GPUBuffer | null
  readonly firstRow: number
  readonly rows: number
}

/** One matrix, or several of one format with their rows joined. */
export interface GpuMatrix {
  readonly format: MatrixFormat
  /** Blocks of 32 columns. */
  readonly blocks: number
  readonly columns: number
  readonly rows: number
  readonly parts: readonly MatrixPart[]
  /** f32, a value a row (in the order of rows before they are paired); null: none. */
  readonly bias: GPUBuffer | null
}

export interface GpuLayer {
  readonly definition: LayerDefinition
  readonly attentionNorm: GPUBuffer
  /** Query, key and value, joined where their formats are equal; `firstRow` counts through all three. */
  readonly qkv: readonly { readonly matrix: GpuMatrix; readonly firstRow: number }[]
  /** Norms over heads; both or none. */
  readonly queryNorm: GPUBuffer | null
  readonly keyNorm: GPUBuffer | null
  readonly output: GpuMatrix
  readonly postAttentionNorm: GPUBuffer | null
  readonly feedForwardNorm: GPUBuffer
  /** One with rows in pairs (gate, up), or the two where formats differ. */
  readonly gateUp: readonly [GpuMatrix] | readonly [GpuMatrix, GpuMatrix]
  readonly down: GpuMatrix
  readonly postFeedForwardNorm: GPUBuffer | null
}

export interface GpuWeights {
  readonly tokenEmbedding: GpuMatrix
  readonly layers: readonly GpuLayer[]
  readonly outputNorm: GPUBuffer
  /** The same for the CPU. */
  readonly outputNormValues: Float32Array
  readonly outputHead: GpuMatrix
  readonly sizeBytes: number
}

interface LoadWeightsOptions {
  model: ModelDefinition
  bytes: ByteSource
  memory: GpuMemory
  /** Matrices are cut in parts of at most so many bytes, or of what a binding may have. */
  maxMatrixBytes?: number | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((loadedBytes: number, totalBytes: number) => void) | undefined
}

/** Where a row of a tensor goes in the matrix it is part of. */
type RowPlace = (row: number) => number

/** Reads every tensor once and leaves it on the GPU; in this thread's memory lies one matrix at a time. */
export async function loadWeights(options: LoadWeightsOptions): Promise<GpuWeights> {
  const { model, memory } = options
  const before = memory.usedBytes
  const loader = new Loader(options)
  const tokenEmbedding = await loader.matrix([{ tensor: model.tokenEmbedding, place: asItIs }])
  const layers: GpuLayer[] = []
  for (const layer of model.layers) layers.push(await loader.layer(layer))
  const outputNormValues = await loader.floats(model.outputNorm)
  const outputNorm = memory.upload(toBlocks(outputNormValues), `Tensor ${model.outputNorm.name}`)
  const outputHead =
    model.outputHead === model.tokenEmbedding
      ? tokenEmbedding
      : await loader.matrix([{ tensor: model.outputHead, place: asItIs }])
  return {
    tokenEmbedding,
    layers,
    outputNorm,
    outputNormValues,
    outputHead,
    sizeBytes: memory.usedBytes - before,
  }
}

function asItIs(row: number): number {
  return row
}

/** Row of half `side` of pair `pair`: four pairs a group, their halves four rows apart. */
function pairedRow(pair: number, side: number): number {
  return (pair >> 2) * GROUP_ROWS + (pair & 3) + side * 4
}

/** Dimensions of a head that are rotated together side by side, as 'interleaved' has them. */
export function interleavedDimension(dimension: number, { style, dimensionCount }: Rope): number {
  if (style === 'interleaved' || dimension >= dimensionCount) return dimension
  const half = dimensionCount / 2
  return dimension < half ? dimension * 2 : (dimension - half) * 2 + 1
}

class Loader {
  readonly #options: LoadWeightsOptions
  readonly #totalBytes: number
  #loadedBytes = 0

  constructor(options: LoadWeightsOptions) {
    this.#options = options
    const { matrices, vectors } = tensorsOf(options.model)
    this.#totalBytes = [...matrices, ...vectors].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }

  async layer(layer: LayerDefinition): Promise<GpuLayer> {
    const normsHeads = layer.queryNorm !== null
    const { headDim } = this.#options.model
    return {
      definition: layer,
      attentionNorm: await this.vector(layer.attentionNorm),
      qkv: await this.#qkv(layer, normsHeads),
      queryNorm: layer.queryNorm && (await this.#headNorm(layer.queryNorm, layer.rope, headDim)),
      keyNorm: layer.keyNorm && (await this.#headNorm(layer.keyNorm, layer.rope, headDim)),
      output: await this.matrix([{ tensor: layer.output, place: asItIs }]),
      postAttentionNorm: layer.postAttentionNorm && (await this.vector(layer.postAttentionNorm)),
      feedForwardNorm: await this.vector(layer.feedForwardNorm),
      gateUp: sameFormat(layer.gate, layer.up)
        ? [
            await this.matrix([
              { tensor: layer.gate, place: (row) => pairedRow(row, 0) },
              { tensor: layer.up, place: (row) => pairedRow(row, 1) },
            ]),
          ]
        : [
            await this.matrix([{ tensor: layer.gate, place: asItIs }]),
            await this.matrix([{ tensor: layer.up, place: asItIs }]),
          ],
      down: await this.matrix([{ tensor: layer.down, place: asItIs }]),
      postFeedForwardNorm: layer.postFeedForwardNorm && (await this.vector(layer.postFeedForwardNorm)),
    }
  }

  /** Rows of query and key with rotated dimensions side by side; all in pairs where no norm stands between. */
  async #qkv(layer: LayerDefinition, normsHeads: boolean): Promise<GpuLayer['qkv']> {
    const { headDim } = this.#options.model
    const turned: RowPlace = (row) => row - (row % headDim) + interleavedDimension(row % headDim, layer.rope)
    const members = [
      { tensor: layer.query, bias: layer.queryBias, order: turned },
      { tensor: layer.key, bias: layer.keyBias, order: turned },
      { tensor: layer.value, bias: layer.valueBias, order: asItIs },
    ]
    const joined: (typeof members)[] = []
    for (const member of members) {
      const last = joined.at(-1)?.at(-1)
      // A bias takes a binding: matrices with and without one are not joined.
      if (last && sameFormat(last.tensor, member.tensor) && (last.bias === null) === (member.bias === null)) {
        joined.at(-1)!.push(member)
      } else {
        joined.push([member])
      }
    }
    const result: { matrix: GpuMatrix; firstRow: number }[] = []
    let firstRow = 0
    for (const group of joined) {
      let start = 0
      const placed = group.map(({ tensor, bias, order }) => {
        const from = start
        start += rowCount(tensor)
        const position = (row: number): number => from + order(row)
        const place: RowPlace = normsHeads
          ? position
          : (row) => pairedRow(position(row) >> 1, position(row) & 1)
        return { tensor, bias, place, position }
      })
      const bias = placed[0]!.bias === null ? null : await this.#bias(placed, start)
      result.push({ matrix: await this.matrix(placed, bias), firstRow })
      firstRow += start
    }
    return result
  }

  async #bias(
    members: readonly { tensor: GgufTensor; bias: GgufTensor | null; position: RowPlace }[],
    rows: number,
  ): Promise<GPUBuffer> {
    const all = new Float32Array(rows)
    for (const { bias, position } of members) {
      const values = await this.floats(bias!)
      values.forEach((value, row) => {
        all[position(row)] = value
      })
    }
    return this.#options.memory.upload(all, 'A bias')
  }

  async #headNorm(tensor: GgufTensor, rope: Rope, headDim: number): Promise<GPUBuffer> {
    const values = await this.floats(tensor)
    const turned = new Float32Array(headDim)
    values.forEach((value, dimension) => {
      turned[interleavedDimension(dimension, rope)] = value
    })
    return this.#options.memory.upload(turned, `Tensor ${tensor.name}`)
  }

  /** f32, padded with zeros to whole blocks. */
  async vector(tensor: GgufTensor): Promise<GPUBuffer> {
    return this.#options.memory.upload(toBlocks(await this.floats(tensor)), `Tensor ${tensor.name}`)
  }

  /** The members' rows in one matrix, cut where a binding would be too large. */
  async matrix(
    members: readonly { tensor: GgufTensor; place: RowPlace }[],
    bias: GPUBuffer | null = null,
  ): Promise<GpuMatrix> {
    const { memory, maxMatrixBytes = Infinity } = this.#options
    const first = members[0]!.tensor
    const format = matrixFormats[first.type]
    const columns = first.shape[0]!
    const rows = members.reduce((sum, { tensor }) => sum + rowCount(tensor), 0)
    const group = matrixBytes(format, GROUP_ROWS, columns)
    const maxBytes = Math.min(memory.maxBindingBytes, maxMatrixBytes)
    const groupsAtMost = Math.max(1, Math.floor(maxBytes / Math.max(group.codes, group.scales)))
    const rowsAtMost = groupsAtMost * GROUP_ROWS
    const parts: MatrixPart[] = []
    for (let firstRow = 0; firstRow < rows; firstRow += rowsAtMost) {
      const count = Math.min(rowsAtMost, rows - firstRow)
      const size = matrixBytes(format, count, columns)
      const codes = memory.createMapped(size.codes, `Tensor ${first.name}`)
      const scales = size.scales === 0 ? null : memory.createMapped(size.scales, `Tensor ${first.name}`)
      parts.push({ codes, scales, firstRow, rows: count })
    }
    const targets = parts.map(({ codes, scales }) => ({
      codes: new Uint32Array(codes.getMappedRange()),
      scales: new Uint32Array(scales?.getMappedRange() ?? new ArrayBuffer(0)),
    }))
    for (const { tensor, place } of members) {
      const packers = targets.map((target) => rowPacker(tensor.type, columns, target))
      await this.#rows(tensor, (bytes, at, row) => {
        const to = place(row)
        packers[Math.floor(to / rowsAtMost)]!(bytes, at, to % rowsAtMost)
      })
    }
    for (const { codes, scales } of parts) {
      codes.unmap()
      scales?.unmap()
    }
    return { format, columns, blocks: Math.ceil(columns / BLOCK_COLUMNS), rows, parts, bias }
  }

  /** Reads a tensor's rows piece by piece. */
  async #rows(tensor: GgufTensor, take: RowPacker): Promise<void> {
    const { bytes, signal } = this.#options
    const rows = rowCount(tensor)
    const rowBytes = tensor.sizeBytes / rows
    const rowsAtOnce = Math.max(1, Math.floor(PIECE_BYTES / rowBytes))
    for (let row = 0; row < rows; row += rowsAtOnce) {
      signal?.throwIfAborted()
      const count = Math.min(rowsAtOnce, rows - row)
      const piece = await bytes.read(tensor.offsetBytes + row * rowBytes, count * rowBytes, { signal })
      for (let i = 0; i < count; i++) take(piece, i * rowBytes, row + i)
      this.#progress(count * rowBytes)
    }
  }

  async floats(tensor: GgufTensor): Promise<Float32Array> {
    const { bytes, signal } = this.#options
    signal?.throwIfAborted()
    const out = new Float32Array(elementCount(tensor))
    dequantize(tensor.type, await bytes.read(tensor.offsetBytes, tensor.sizeBytes, { signal }), out)
    this.#progress(tensor.sizeBytes)
    return out
  }

  #progress(bytes: number): void {
    this.#loadedBytes += bytes
    this.#options.onProgress?.(this.#loadedBytes, this.#totalBytes)
  }
}

/** Padded with zeros to whole blocks of columns. */
function toBlocks(values: Float32Array): Float32Array {
  const padded = new Float32Array(Math.ceil(values.length / BLOCK_COLUMNS) * BLOCK_COLUMNS)
  padded.set(values)
  return padded
}
