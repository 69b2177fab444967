import { EngineError } from '../../contract/error'
import type { ModelDefinition, Rope } from '../../model/definition'
import { bind, type Dispatch, type Kernel, type KernelCompiler } from './kernels'
import { BLOCK_COLUMNS } from './matrix-format'
import {
  type AttentionShape,
  mergeShader,
  serialAttentionShader,
  tiledAttentionShader,
} from './shaders/attention'
import { TOP_COUNT } from '../backend'
import { chunkShader, mergeChunksShader, topShaders } from './shaders/logits'
import { activationText, type MatmulShape, matmulShader } from './shaders/matmul'
import { TILE_ROWS, TILE_TOKENS, tiledMatmulShader } from './shaders/matmul-tiled'
import { drawShaders, feedShader } from './shaders/next-token'
import type { Shader } from './shaders/shader'
import { addNormedShader, embedShader, gateShader, headsShader } from './shaders/vectors'
import type { Variant } from './variant'
import type { GpuLayer, GpuMatrix, GpuWeights } from './weights'

/** A dispatch before its buffers are known: they differ by session. */
interface Step {
  readonly shader: Shader
  readonly buffers: Readonly<Record<string, Slot>>
  readonly x: number
  readonly tokens: number
}

/** A buffer of the weights, of the scratch by name, or of the session. */
type Slot = GPUBuffer | ScratchName | SessionSlot
type SessionSlot = { readonly cache: number } | { readonly rotations: Rope }

export const scratchNames = [
  'step',
  'tokens',
  'residual',
  'qkv',
  'queries',
  'partials',
  'mixed',
  'projected',
  'gate',
  'up',
  'logits',
  'chunks',
  'summary',
  'counts',
  'selection',
  'ranked',
] as const
export type ScratchName = (typeof scratchNames)[number]

/** What a session's buffers are, for bind groups. */
export interface SessionBuffers {
  /** (2: keys, values; kvHeads; capacity; headDim / 2) u32, one a layer. */
  readonly caches: readonly GPUBuffer[]
  /** (capacity, headDim / 2) cosine and sine. */
  readonly rotations: ReadonlyMap<Rope, GPUBuffer>
  /** (headDim / 2) of the positions that keys are moved by. */
  readonly turns: ReadonlyMap<Rope, GPUBuffer>
}

/** The kernels of a forward pass over a number of tokens, in order. */
export class Plan {
  readonly #steps: readonly (readonly [Step, Kernel])[]

  private constructor(steps: readonly (readonly [Step, Kernel])[]) {
    this.#steps = steps
  }

  static async compile(steps: readonly Step[], compiler: KernelCompiler): Promise<Plan> {
    const kernels = await Promise.all(steps.map(({ shader }) => compiler.compile(shader)))
    return new Plan(steps.map((step, index) => [step, kernels[index]!]))
  }

  get length(): number {
    return this.#steps.length
  }

  bind(
    device: GPUDevice,
    scratch: Readonly<Record<ScratchName, GPUBuffer>>,
    session: SessionBuffers,
  ): Dispatch[] {
    const resolve = (slot: Slot): GPUBuffer => {
      if (typeof slot === 'string') return scratch[slot]
      if ('cache' in slot) return session.caches[slot.cache]!
      if ('rotations' in slot) return session.rotations.get(slot.rotations)!
      return slot
    }
    return this.#steps.map(([{ buffers, x, tokens }, kernel]) => {
      const named = Object.fromEntries(Object.entries(buffers).map(([name, slot]) => [name, resolve(slot)]))
      return { kernel, bindings: bind(device, kernel, named), x, tokens }
    })
  }
}

/** Describes the passes of a model on a device. */
export class Planner {
  readonly #model: ModelDefinition
  readonly #weights: GpuWeights
  readonly #variant: Variant

  constructor(model: ModelDefinition, weights: GpuWeights, variant: Variant) {
    this.#model = model
    this.#weights = weights
    this.#variant = variant
  }

  /** From token ids to the residual stream behind the last layer. */
  layers(mode: 'decode' | 'batch'): Step[] {
    const steps = this.#embed()
    this.#weights.layers.forEach((layer, index) => {
      steps.push(...this.#attention(layer, index, mode), ...this.#feedForward(layer, mode))
    })
    return steps
  }

  /** From the residual stream to logits and their summaries, of the wanted tokens. */
  head(mode: 'decode' | 'batch'): Step[] {
    const { vocabularySize, logitSoftcap } = this.#model
    const { outputHead, outputNorm } = this.#weights
    const stride = logitStride(this.#model)
    return [
      ...this.#product(mode, outputHead, 'residual', 'logits', {
        norm: outputNorm,
        result: 'store',
        outStride: stride,
        outputsOnly: true,
      }),
      {
        shader: chunkShader({ vocabulary: vocabularySize, stride, softcap: logitSoftcap }),
        buffers: { step: 'step', logits: 'logits', chunks: 'chunks' },
        x: Math.ceil(Math.ceil(vocabularySize / 128) / 4),
        tokens: 1,
      },
      {
        shader: mergeChunksShader({ vocabulary: vocabularySize }),
        buffers: { step: 'step', chunks: 'chunks', summary: 'summary' },
        x: 1,
        tokens: 1,
      },
    ]
  }

  /** The likeliest tokens of the first row of logits. */
  top(): Step[] {
    const { vocabularySize } = this.#model
    const shaders = topShaders({ vocabulary: vocabularySize, count: Math.min(TOP_COUNT, vocabularySize) })
    return shaders.map(({ shader, x }) => ({
      shader,
      buffers: { step: 'step', logits: 'logits', counts: 'counts', selection: 'selection' },
      x,
      tokens: 1,
    }))
  }

  /** The newest output's likeliest token becomes the next one. */
  feed(): Step[] {
    const buffers = { step: 'step', summary: 'summary', tokens: 'tokens' } as const
    return [{ shader: feedShader(), buffers, x: 1, tokens: 1 }]
  }

  /** A token drawn from the newest output's likeliest becomes the next one. */
  draw(): Step[] {
    const buffers = {
      step: 'step',
      selection: 'selection',
      ranked: 'ranked',
      summary: 'summary',
      tokens: 'tokens',
    } as const
    return drawShaders(Math.min(TOP_COUNT, this.#model.vocabularySize)).map(({ shader, x }) => ({
      shader,
      buffers,
      x,
      tokens: 1,
    }))
  }

  #embed(): Step[] {
    const { tokenEmbedding } = this.#weights
    return tokenEmbedding.parts.map((part) => ({
      shader: embedShader({
        format: tokenEmbedding.format,
        blocks: tokenEmbedding.blocks,
        firstRow: part.firstRow,
        rows: part.rows,
        scale: this.#model.embeddingScale,
      }),
      buffers: {
        step: 'step',
        matrixCodes: part.codes,
        ...(part.scales && { matrixScales: part.scales }),
        tokens: 'tokens',
        out: 'residual',
      },
      x: Math.ceil(tokenEmbedding.blocks / 16),
      tokens: 1,
    }))
  }

  #attention(layer: GpuLayer, index: number, mode: 'decode' | 'batch'): Step[] {
    const { headCount, kvHeadCount, headDim, attentionScale, attentionSoftcap, normEpsilon } = this.#model
    const { window, rope } = layer.definition
    const normed = layer.queryNorm !== null
    const heads = { queries: headCount, keys: kvHeadCount, headDim }
    const steps: Step[] = []
    for (const { matrix, firstRow } of layer.qkv) {
      steps.push(
        ...this.#product(mode, matrix, 'residual', normed ? 'qkv' : 'queries', {
          norm: layer.attentionNorm,
          rowOffset: firstRow,
          ...(normed
            ? { result: 'store', outStride: (headCount + 2 * kvHeadCount) * headDim }
            : { result: 'rotated', heads, rotations: rope, cache: index, outStride: headCount * headDim }),
        }),
      )
    }
    if (normed) {
      steps.push({
        shader: headsShader({ heads: headCount, kvHeads: kvHeadCount, headDim, epsilon: normEpsilon }),
        buffers: {
          step: 'step',
          qkv: 'qkv',
          queryNorm: layer.queryNorm,
          keyNorm: layer.keyNorm!,
          rotations: { rotations: rope },
          queries: 'queries',
          cache: { cache: index },
        },
        x: Math.ceil((headCount + 2 * kvHeadCount) / 4),
        tokens: 1,
      })
    }
    const { splits, attentionTokens } = this.#variant
    const shape: AttentionShape = {
      heads: headCount,
      kvHeads: kvHeadCount,
      headDim,
      scale: attentionScale,
      softcap: attentionSoftcap,
      window,
      splits: mode === 'decode' ? splits : 1,
      queryStride: headCount * headDim,
    }
    const serial = attentionTokens === null
    const tokens = serial || mode === 'decode' ? 1 : attentionTokens
    steps.push({
      shader: serial ? serialAttentionShader(shape) : tiledAttentionShader(shape, tokens),
      buffers: {
        step: 'step',
        queries: 'queries',
        cache: { cache: index },
        out: shape.splits > 1 ? 'partials' : 'mixed',
      },
      x: serial ? Math.ceil((headCount * shape.splits) / 4) : headCount * shape.splits,
      tokens,
    })
    if (shape.splits > 1) {
      steps.push({
        shader: mergeShader(shape),
        buffers: { step: 'step', partials: 'partials', out: 'mixed' },
        x: Math.ceil((headCount * headDim) / 4 / 16),
        tokens: 1,
      })
    }
    return [...steps, ...this.#residual(mode, layer.output, 'mixed', layer.postAttentionNorm)]
  }

  #feedForward(layer: GpuLayer, mode: 'decode' | 'batch'): Step[] {
    const { activation, feedForwardLength } = this.#model
    const outStride = padded(feedForwardLength)
    const norm = layer.feedForwardNorm
    const [first, second] = layer.gateUp
    const steps: Step[] = second
      ? [
          ...this.#product(mode, first, 'residual', 'gate', { norm, result: 'store', outStride }),
          ...this.#product(mode, second, 'residual', 'up', { norm, result: 'store', outStride }),
          {
            shader: gateShader({ quads: outStride / 4, activate: activationText(activation) }),
            buffers: { step: 'step', up: 'up', gate: 'gate' },
            x: Math.ceil(outStride / 4 / 16),
            tokens: 1,
          },
        ]
      : this.#product(mode, first, 'residual', 'gate', { norm, result: 'gated', outStride, activation })
    return [...steps, ...this.#residual(mode, layer.down, 'gate', layer.postFeedForwardNorm)]
  }

  /** residual += matrix × x, with a norm between where the model has one. */
  #residual(mode: 'decode' | 'batch', matrix: GpuMatrix, x: ScratchName, norm: GPUBuffer | null): Step[] {
    const { embeddingLength, normEpsilon } = this.#model
    const outStride = padded(embeddingLength)
    if (norm === null) return this.#product(mode, matrix, x, 'residual', { result: 'add', outStride })
    return [
      ...this.#product(mode, matrix, x, 'projected', { result: 'store', outStride }),
      {
        shader: addNormedShader({
          blocks: outStride / BLOCK_COLUMNS,
          columns: embeddingLength,
          epsilon: normEpsilon,
        }),
        buffers: { step: 'step', x: 'projected', normWeights: norm, residual: 'residual' },
        x: Math.ceil(outStride / BLOCK_COLUMNS / 16),
        tokens: 1,
      },
    ]
  }

  #product(
    mode: 'decode' | 'batch',
    matrix: GpuMatrix,
    x: ScratchName,
    out: ScratchName,
    options: Pick<
      MatmulShape,
      'result' | 'outStride' | 'outputsOnly' | 'rowOffset' | 'activation' | 'heads'
    > & {
      norm?: GPUBuffer
      rotations?: Rope
      cache?: number
    },
  ): Step[] {
    const tile = this.#variant[mode]
    const { norm, rotations, cache, ...rest } = options
    const { normEpsilon, embeddingLength } = this.#model
    return matrix.parts.map((part) => {
      const shape: MatmulShape = {
        ...rest,
        format: matrix.format,
        rows: part.rows,
        blocks: matrix.blocks,
        norm: norm ? { epsilon: normEpsilon, columns: embeddingLength } : null,
        bias: matrix.bias !== null,
        rowOffset: (rest.rowOffset ?? 0) + part.firstRow / (rest.result === 'gated' ? 2 : 1),
        biasOffset: part.firstRow,
      }
      return {
        shader: tile === null ? tiledMatmulShader(shape) : matmulShader(shape, tile),
        buffers: {
          step: 'step',
          matrixCodes: part.codes,
          ...(part.scales && { matrixScales: part.scales }),
          x,
          ...(norm && { normWeights: norm }),
          ...(matrix.bias && { bias: matrix.bias }),
          out,
          ...(rotations && { rotations: { rotations } }),
          ...(cache !== undefined && { cache: { cache } }),
        },
        x: tile === null ? Math.ceil(part.rows / TILE_ROWS) : Math.ceil(part.rows / 8 / tile.groups),
        tokens: tile === null ? TILE_TOKENS : tile.tokens,
      }
    })
  }
}

/** To whole blocks of columns. */
export function padded(length: number): number {
  return Math.ceil(length / BLOCK_COLUMNS) * BLOCK_COLUMNS
}

export function logitStride({ vocabularySize }: ModelDefinition): number {
  return padded(vocabularySize)
}

/** What the kernels take for granted. @throws EngineError 'unsupported' */
export function checkModel({ headDim, headCount }: ModelDefinition): void {
  if (headDim % 8 !== 0 || headDim > 1024 || (headCount * headDim) % BLOCK_COLUMNS !== 0) {
    throw new EngineError(
      'unsupported',
      `${headCount} heads of ${headDim} dimensions; the GPU kernels take multiples of 8 to 1,024, and whole blocks of ` +
        `${BLOCK_COLUMNS} together.`,
    )
  }
}
