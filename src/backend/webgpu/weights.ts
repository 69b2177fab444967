import type { ByteSource } from '../../contract/bytes'
import { dequantize } from '../../gguf/blocks'
import type { GgufTensor } from '../../gguf/types'
import type { LayerDefinition, ModelDefinition, Rope } from '../../model/definition'
import { elementCount, rowCount } from '../../model/model-tensors'
import type { GpuMemory } from './gpu-memory'
import {
  BLOCK_COLUMNS,
  GROUP_ROWS,
  matrixBytes,
  type MatrixFormat,
  matrixFormats,
  sameFormat,
} from './matrix-format'
import { type PackTarget, rowPacker } from './repack'

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

/**
 * Reads every tensor once, in the file's order, and leaves it on the GPU; in this thread's memory lie the matrices that
 * are begun: those of one layer at most.
 */
export async function loadWeights(options: LoadWeightsOptions): Promise<GpuWeights> {
  const { model, memory } = options
  const before = memory.usedBytes
  const loader = new Loader(options)
  const tokenEmbedding = loader.matrix([{ tensor: model.tokenEmbedding, place: asItIs }])
  const layers = Promise.all(model.layers.map((layer) => loader.layer(layer)))
  const outputNormValues = loader.floats(model.outputNorm)
  const outputHead =
    model.outputHead === model.tokenEmbedding
      ? tokenEmbedding
      : loader.matrix([{ tensor: model.outputHead, place: asItIs }])
  await loader.run()
  return {
    tokenEmbedding: await tokenEmbedding,
    layers: await layers,
    outputNorm: memory.upload(toBlocks(await outputNormValues), `Tensor ${model.outputNorm.name}`),
    outputNormValues: await outputNormValues,
    outputHead: await outputHead,
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

/** A tensor to read: `begin` gives what takes its pieces, each of whole rows. */
interface Reading {
  readonly tensor: GgufTensor
  readonly begin: () => (piece: Uint8Array, firstRow: number, rows: number) => void
  readonly end: () => void
}

/**
 * What is asked for is noted, and given once `run()` has come to it: a file over a network is read from its beginning
 * to its end. So nothing may wait before it has asked for all it needs.
 */
class Loader {
  readonly #options: LoadWeightsOptions
  readonly #readings: Reading[] = []

  constructor(options: LoadWeightsOptions) {
    this.#options = options
  }

  async run(): Promise<void> {
    const { bytes, signal, onProgress } = this.#options
    const readings = this.#readings.toSorted((a, b) => a.tensor.offsetBytes - b.tensor.offsetBytes)
    const totalBytes = readings.reduce((sum, { tensor }) => sum + tensor.sizeBytes, 0)
    let loadedBytes = 0
    for (const { tensor, begin, end } of readings) {
      const take = begin()
      const rows = rowCount(tensor)
      const rowBytes = tensor.sizeBytes / rows
      const rowsAtOnce = Math.max(1, Math.floor(PIECE_BYTES / rowBytes))
      for (let row = 0; row < rows; row += rowsAtOnce) {
        signal?.throwIfAborted()
        const count = Math.min(rowsAtOnce, rows - row)
        const piece = await bytes.read(tensor.offsetBytes + row * rowBytes, count * rowBytes, { signal })
        take(piece, row, count)
        loadedBytes += count * rowBytes
        onProgress?.(loadedBytes, totalBytes)
      }
      end()
    }
  }

  #read(tensor: GgufTensor, begin: Reading['begin']): Promise<void> {
    return new Promise((resolve) => void this.#readings.push({ tensor, begin, end: resolve }))
  }

  async layer(layer: LayerDefinition): Promise<GpuLayer> {
    const { headDim } = this.#options.model
    const headNorm = (tensor: GgufTensor | null): Promise<GPUBuffer> | null =>
      tensor && this.#headNorm(tensor, layer.rope, headDim)
    const optional = (tensor: GgufTensor | null): Promise<GPUBuffer> | null => tensor && this.vector(tensor)
    const plain = (tensor: GgufTensor): Promise<GpuMatrix> => this.matrix([{ tensor, place: asItIs }])
    const attentionNorm = this.vector(layer.attentionNorm)
    const qkv = this.#qkv(layer, layer.queryNorm !== null)
    const queryNorm = headNorm(layer.queryNorm)
    const keyNorm = headNorm(layer.keyNorm)
    const output = plain(layer.output)
    const postAttentionNorm = optional(layer.postAttentionNorm)
    const feedForwardNorm = this.vector(layer.feedForwardNorm)
    const joins = sameFormat(layer.gate, layer.up)
    const gate = joins
      ? this.matrix([
          { tensor: layer.gate, place: (row) => pairedRow(row, 0) },
          { tensor: layer.up, place: (row) => pairedRow(row, 1) },
        ])
      : plain(layer.gate)
    const up = joins ? null : plain(layer.up)
    const down = plain(layer.down)
    const postFeedForwardNorm = optional(layer.postFeedForwardNorm)
    return {
      definition: layer,
      attentionNorm: await attentionNorm,
      qkv: await qkv,
      queryNorm: await queryNorm,
      keyNorm: await keyNorm,
      output: await output,
      postAttentionNorm: await postAttentionNorm,
      feedForwardNorm: await feedForwardNorm,
      gateUp: up === null ? [await gate] : [await gate, await up],
      down: await down,
      postFeedForwardNorm: await postFeedForwardNorm,
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
    let firstRow = 0
    const matrices = joined.map(async (group) => {
      const begin = firstRow
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
      firstRow += start
      const bias = placed[0]!.bias === null ? null : this.#bias(placed, start)
      return { matrix: await this.matrix(placed, bias), firstRow: begin }
    })
    return Promise.all(matrices)
  }

  async #bias(
    members: readonly { tensor: GgufTensor; bias: GgufTensor | null; position: RowPlace }[],
    rows: number,
  ): Promise<GPUBuffer> {
    const all = new Float32Array(rows)
    const read = members.map(async ({ bias, position }) => {
      const values = await this.floats(bias!)
      values.forEach((value, row) => {
        all[position(row)] = value
      })
    })
    await Promise.all(read)
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
    bias: Promise<GPUBuffer> | null = null,
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
    const targets: PackTarget[] = []
    /** Once the first member's turn has come: what is mapped lies in this thread's memory too. */
    const open = (): void => {
      for (let firstRow = 0; firstRow < rows; firstRow += rowsAtMost) {
        const count = Math.min(rowsAtMost, rows - firstRow)
        const size = matrixBytes(format, count, columns)
        const codes = memory.createMapped(size.codes, `Tensor ${first.name}`)
        const scales = size.scales === 0 ? null : memory.createMapped(size.scales, `Tensor ${first.name}`)
        parts.push({ codes, scales, firstRow, rows: count })
        targets.push({
          codes: new Uint32Array(codes.getMappedRange()),
          scales: new Uint32Array(scales?.getMappedRange() ?? new ArrayBuffer(0)),
        })
      }
    }
    const read = members.map(({ tensor, place }) =>
      this.#read(tensor, () => {
        if (parts.length === 0) open()
        const packers = targets.map((target) => rowPacker(tensor.type, columns, target))
        const rowBytes = tensor.sizeBytes / rowCount(tensor)
        return (piece, firstRow, count) => {
          for (let i = 0; i < count; i++) {
            const to = place(firstRow + i)
            packers[Math.floor(to / rowsAtMost)]!(piece, i * rowBytes, to % rowsAtMost)
          }
        }
      }),
    )
    await Promise.all(read)
    for (const { codes, scales } of parts) {
      codes.unmap()
      scales?.unmap()
    }
    return {
      format,
      columns,
      blocks: Math.ceil(columns / BLOCK_COLUMNS),
      rows,
      parts,
      bias: await bias,
    }
  }

  async floats(tensor: GgufTensor): Promise<Float32Array> {
    const out = new Float32Array(elementCount(tensor))
    const columns = tensor.shape[0]!
    await this.#read(tensor, () => (piece, firstRow, rows) => {
      dequantize(tensor.type, piece, out.subarray(firstRow * columns, (firstRow + rows) * columns))
    })
    return out
  }
}

/** Padded with zeros to whole blocks of columns. */
function toBlocks(values: Float32Array): Float32Array {
  const padded = new Float32Array(Math.ceil(values.length / BLOCK_COLUMNS) * BLOCK_COLUMNS)
  padded.set(values)
  return padded
}
