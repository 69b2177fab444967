import type { ByteSource } from '../../src/contract/bytes'
import { sizeInBytes } from '../../src/gguf/block-layout'
import type { GgufTensor } from '../../src/gguf/types'
import type { ModelDefinition } from '../../src/model/definition'
import { OnnxGraph } from './onnx-graph'
import type { Message } from './protobuf'
import { fromQ4_1, fromQ8_0, unpermuteHeads } from './quantised-weights'

const BLOCK = 32

/**
 * A llama model of Q4_1 matrices and a tied Q8_0 embedding as an ONNX model with the same weights, in the
 * operators that exporters for ONNX Runtime use: 4-bit MatMulNBits, GroupQueryAttention with RoPE in it,
 * SkipSimplifiedLayerNormalization. Specified in
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md.
 *
 * Inputs: `input_ids` (1, sequence), `logits_at` (outputs): which of these tokens' logits are wanted, `seqlens_k` (1):
 * tokens in the cache after this call, less 1; `total_sequence_length` (1): the same, not less 1; and for each layer
 * `past_key.N` and `past_value.N` (1, kvHeads, past, headDim). Outputs: `logits` (1, outputs, vocabulary),
 * `present_key.N`, `present_value.N` (1, kvHeads, past + sequence, headDim).
 */
export async function llamaOnnx(
  model: ModelDefinition,
  bytes: ByteSource,
  { contextLength }: { contextLength: number },
): Promise<Message> {
  if (model.architecture !== 'llama' || model.outputHead !== model.tokenEmbedding)
    throw new Error('Only llama models with a tied embedding are written as ONNX')
  return new LlamaGraph(model, bytes, contextLength).build()
}

/** A value and the sums of its blocks of 32, which all matrices that read it share. */
interface MatrixInput {
  readonly value: string
  readonly blockSums: string
}

class LlamaGraph {
  readonly #graph = new OnnxGraph()
  readonly #model: ModelDefinition
  readonly #bytes: ByteSource
  readonly #contextLength: number

  constructor(model: ModelDefinition, bytes: ByteSource, contextLength: number) {
    this.#model = model
    this.#bytes = bytes
    this.#contextLength = contextLength
  }

  async build(): Promise<Message> {
    const graph = this.#graph
    const { embeddingLength, vocabularySize, layers, outputNorm } = this.#model
    graph.input('input_ids', 'int32', [1, 'sequence'])
    graph.input('logits_at', 'int32', ['outputs'])
    graph.input('seqlens_k', 'int32', [1])
    graph.input('total_sequence_length', 'int32', [1])
    this.#rotations()
    graph.tensor('last_axis', [1], BigInt64Array.of(-1n))
    for (const width of new Set([embeddingLength, this.#model.feedForwardLength])) {
      graph.tensor(`blocks_of_${width}`, [4], BigInt64Array.of(0n, 0n, BigInt(width / BLOCK), BigInt(BLOCK)))
    }
    await this.#embedding()

    // Each norm also adds what came out of the block before to the residual.
    let residual = 'embedding'
    let addition: string | null = null
    for (const [index, layer] of layers.entries()) {
      const at = `layer${index}`
      const first = await this.#norm(`${at}.attention_norm`, layer.attentionNorm, residual, addition)
      const attention = await this.#attention(at, index, this.#matrixInput(first.normed, embeddingLength))
      const second = await this.#norm(`${at}.feed_forward_norm`, layer.feedForwardNorm, first.sum, attention)
      residual = second.sum
      addition = await this.#feedForward(at, index, this.#matrixInput(second.normed, embeddingLength))
    }
    const hidden = graph.node('hidden', 'Add', [residual, addition ?? residual])
    // Logits of a whole prompt would cost as much as a quarter of its evaluation.
    const wanted = graph.node('wanted', 'Gather', [hidden, 'logits_at'], { integers: { axis: 1 } })
    const { normed } = await this.#norm('output_norm', outputNorm, wanted, null)
    graph.node('logits', 'MatMul', [normed, 'head'])
    graph.output('logits', 'float32', [1, 'outputs', vocabularySize])
    return graph.model(this.#model.name)
  }

  /** (contextLength, headDim / 2) Cosines and sines of all angles. */
  #rotations(): void {
    const { frequencies } = this.#model.layers[0]!.rope
    const angles = Array.from({ length: this.#contextLength }, (_, position) =>
      Array.from(frequencies, (frequency) => position * frequency),
    ).flat()
    const shape = [this.#contextLength, frequencies.length]
    this.#graph.tensor('rope.cos', shape, Float32Array.from(angles, Math.cos))
    this.#graph.tensor('rope.sin', shape, Float32Array.from(angles, Math.sin))
  }

  /**
   * One table, kept twice: in 8 bits to look tokens up, as floats for the head, since onnxruntime-web's JavaScript
   * WebGPU kernels have no 8-bit product.
   */
  async #embedding(): Promise<void> {
    const { tokenEmbedding, embeddingLength, vocabularySize } = this.#model
    if (tokenEmbedding.type !== 'Q8_0') throw new Error(`The embedding is ${tokenEmbedding.type}, not Q8_0`)
    const graph = this.#graph
    const { quants, scales } = fromQ8_0(await this.#read(tokenEmbedding), vocabularySize, embeddingLength)
    graph.tensor('embedding.quants', [vocabularySize, embeddingLength], quants)
    graph.tensor('embedding.scales', [vocabularySize, embeddingLength / BLOCK], scales)
    const head = new Float32Array(quants.length)
    for (let row = 0; row < vocabularySize; row++) {
      for (let column = 0; column < embeddingLength; column++) {
        const at = row * embeddingLength + column
        head[column * vocabularySize + row] = (quants[at]! - 128) * scales[Math.floor(at / BLOCK)]!
      }
    }
    graph.tensor('head', [embeddingLength, vocabularySize], head)
    const inputs = ['embedding.quants', 'input_ids', 'embedding.scales']
    graph.node('embedding', 'GatherBlockQuantized', inputs, {
      domain: 'com.microsoft',
      integers: { bits: 8, block_size: BLOCK, gather_axis: 0, quantize_axis: 1 },
    })
  }

  async #norm(
    name: string,
    weight: GgufTensor,
    residual: string,
    addition: string | null,
  ): Promise<{ normed: string; sum: string }> {
    const graph = this.#graph
    const floats = { epsilon: this.#model.normEpsilon }
    graph.tensor(`${name}.weight`, [this.#model.embeddingLength], await this.#floats(weight))
    if (addition === null) {
      const inputs = [residual, `${name}.weight`]
      return { normed: graph.node(name, 'SimplifiedLayerNormalization', inputs, { floats }), sum: residual }
    }
    const sum = `${name}.sum`
    graph.node(name, 'SkipSimplifiedLayerNormalization', [residual, addition, `${name}.weight`], {
      domain: 'com.microsoft',
      outputs: [name, '', '', sum],
      floats,
    })
    return { normed: name, sum }
  }

  async #attention(at: string, index: number, input: MatrixInput): Promise<string> {
    const graph = this.#graph
    const { headCount, kvHeadCount, headDim, attentionScale, layers, embeddingLength } = this.#model
    const { query, key, value, output } = layers[index]!
    for (const name of ['key', 'value']) {
      graph.input(`past_${name}.${index}`, 'float32', [1, kvHeadCount, 'past', headDim])
      graph.output(`present_${name}.${index}`, 'float32', [1, kvHeadCount, 'total', headDim])
    }
    const attended = graph.node(
      `${at}.attention`,
      'GroupQueryAttention',
      [
        await this.#matrix(`${at}.query`, query, input, { isRotated: true }),
        await this.#matrix(`${at}.key`, key, input, { isRotated: true }),
        await this.#matrix(`${at}.value`, value, input),
        `past_key.${index}`,
        `past_value.${index}`,
        'seqlens_k',
        'total_sequence_length',
        'rope.cos',
        'rope.sin',
      ],
      {
        domain: 'com.microsoft',
        outputs: [`${at}.attention`, `present_key.${index}`, `present_value.${index}`],
        integers: { num_heads: headCount, kv_num_heads: kvHeadCount, do_rotary: 1, rotary_interleaved: 0 },
        floats: { scale: attentionScale },
      },
    )
    return this.#matrix(`${at}.output`, output, this.#matrixInput(attended, embeddingLength))
  }

  async #feedForward(at: string, index: number, input: MatrixInput): Promise<string> {
    const graph = this.#graph
    const { gate, up, down } = this.#model.layers[index]!
    const gated = await this.#matrix(`${at}.gate`, gate, input)
    // x × sigmoid(alpha × x): SiLU.
    const activated = graph.node(`${at}.silu`, 'QuickGelu', [gated], {
      domain: 'com.microsoft',
      floats: { alpha: 1 },
    })
    const product = graph.node(`${at}.gate_up`, 'Mul', [activated, await this.#matrix(`${at}.up`, up, input)])
    return this.#matrix(`${at}.down`, down, this.#matrixInput(product, this.#model.feedForwardLength))
  }

  #matrixInput(value: string, width: number): MatrixInput {
    const blocks = this.#graph.node(`${value}.blocks`, 'Reshape', [value, `blocks_of_${width}`])
    const blockSums = this.#graph.node(`${value}.block_sums`, 'ReduceSum', [blocks, 'last_axis'], {
      integers: { keepdims: 0 },
    })
    return { value, blockSums }
  }

  async #matrix(
    name: string,
    tensor: GgufTensor,
    input: MatrixInput,
    { isRotated = false } = {},
  ): Promise<string> {
    if (tensor.type !== 'Q4_1') throw new Error(`${tensor.name} is ${tensor.type}, not Q4_1`)
    const graph = this.#graph
    const [columns = 0, rows = 0] = tensor.shape
    const stored = await this.#read(tensor)
    const ordered = isRotated
      ? unpermuteHeads(stored, this.#model.headDim, sizeInBytes(tensor.type, columns))
      : stored
    const { quants, scales, offsets } = fromQ4_1(ordered, rows, columns)
    const blocks = columns / BLOCK
    const product = graph.node(
      `${name}.scaled`,
      'MatMulNBits',
      [
        input.value,
        graph.tensor(`${name}.quants`, [rows, blocks, BLOCK / 2], quants),
        graph.tensor(`${name}.scales`, [rows, blocks], scales),
      ],
      { domain: 'com.microsoft', integers: { K: columns, N: rows, bits: 4, block_size: BLOCK } },
    )
    const rest = graph.node(`${name}.rest`, 'MatMul', [
      input.blockSums,
      graph.tensor(`${name}.offsets`, [blocks, rows], offsets),
    ])
    return graph.node(name, 'Add', [product, rest])
  }

  async #floats(tensor: GgufTensor): Promise<Float32Array> {
    if (tensor.type !== 'F32') throw new Error(`${tensor.name} is ${tensor.type}, not F32`)
    return new Float32Array((await this.#read(tensor)).slice().buffer)
  }

  #read({ offsetBytes, sizeBytes }: GgufTensor): Promise<Uint8Array> {
    return this.#bytes.read(offsetBytes, sizeBytes)
  }
}
