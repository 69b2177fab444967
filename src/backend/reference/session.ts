import { EngineError } from '../../contract/error'
import type { ModelDefinition } from '../../model/definition'
import type { BackendSession, Logits } from '../backend'
import { LayerCache } from './cache'
import { add, gelu, linear, rmsNorm, rotate, silu, softcap, softmax } from './operations'
import type { LayerWeights, Weights } from './weights'

/** What a session needs of the backend that made it. */
export interface SessionOwner {
  readonly maxBatch: number
  /** @throws EngineError 'disposed' after the backend's dispose(). */
  liveWeights(): Weights
  forget(session: ReferenceSession): void
}

/** One sequence. Read from the top of `forward`, it is the model's description. */
export class ReferenceSession implements BackendSession {
  readonly contextLength: number
  readonly #model: ModelDefinition
  readonly #owner: SessionOwner
  /** One a layer; null after dispose(). */
  #caches: LayerCache[] | null
  #length = 0

  constructor(model: ModelDefinition, owner: SessionOwner, contextLength: number) {
    this.contextLength = contextLength
    this.#model = model
    this.#owner = owner
    const kvLength = model.kvHeadCount * model.headDim
    this.#caches = model.layers.map(
      (layer) => new LayerCache(contextLength, kvLength, model.headDim, layer.rope),
    )
  }

  get length(): number {
    return this.#length
  }

  get memoryBytes(): number {
    let sum = 0
    for (const { plainKeys, keys, values } of this.#caches ?? []) {
      sum += plainKeys.byteLength + keys.byteLength + values.byteLength
    }
    return sum
  }

  async forward(tokens: ArrayLike<number>, { outputs = 1 }: { outputs?: number } = {}): Promise<Logits[]> {
    const { weights, caches } = this.#live()
    this.check(tokens, outputs)
    const model = this.#model
    const count = tokens.length
    const x = this.#embed(weights, tokens) // (tokens, embedding): the residual stream
    const normed = new Float64Array(x.length)

    weights.layers.forEach((layer, i) => {
      rmsNorm(normed, x, layer.attentionNorm, model.normEpsilon)
      const attended = this.#attention(layer, caches[i]!, normed, count)
      if (layer.postAttentionNorm) rmsNorm(attended, attended, layer.postAttentionNorm, model.normEpsilon)
      add(x, attended)

      rmsNorm(normed, x, layer.feedForwardNorm, model.normEpsilon)
      const fed = this.#feedForward(layer, normed, count)
      if (layer.postFeedForwardNorm) rmsNorm(fed, fed, layer.postFeedForwardNorm, model.normEpsilon)
      add(x, fed)
    })

    this.#length += count
    return this.#head(weights, x.subarray((count - outputs) * model.embeddingLength), outputs)
  }

  /** @throws EngineError where `forward()` would. */
  check(tokens: ArrayLike<number>, outputs = 1): void {
    const { vocabularySize } = this.#model
    if (tokens.length < 1 || tokens.length > this.#owner.maxBatch) {
      throw new EngineError(
        'invalid-argument',
        `forward() got ${tokens.length} tokens; it takes 1 to ${this.#owner.maxBatch}.`,
      )
    }
    if (!Number.isInteger(outputs) || outputs < 0 || outputs > tokens.length) {
      throw new EngineError(
        'invalid-argument',
        `forward() was asked for ${outputs} outputs of ${tokens.length} tokens.`,
      )
    }
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i]
      if (token === undefined || !Number.isInteger(token) || token < 0 || token >= vocabularySize) {
        throw new EngineError(
          'invalid-argument',
          `forward() got token ${token}; ids run from 0 to ${vocabularySize - 1}.`,
        )
      }
    }
    if (this.#length + tokens.length > this.contextLength) {
      throw new EngineError(
        'context-overflow',
        `${this.#length} tokens and ${tokens.length} more do not fit a context of ${this.contextLength}.`,
        {
          details: { length: this.#length, added: tokens.length, contextLength: this.contextLength },
        },
      )
    }
  }

  copyFrom(other: BackendSession, length: number): void {
    const { caches } = this.#live()
    const isOther = other instanceof ReferenceSession && other.#owner === this.#owner && other !== this
    const most = isOther ? Math.min(other.#length, this.contextLength) : 0
    if (!isOther || !Number.isInteger(length) || length < 0 || length > most) {
      throw new EngineError(
        'invalid-argument',
        `copyFrom() got ${length} tokens; it takes 0 to ${most} of another session of this backend.`,
      )
    }
    for (const [i, cache] of other.#live().caches.entries()) caches[i]!.copyFrom(cache, length)
    this.#length = length
  }

  truncate(length: number): void {
    this.#live()
    if (!Number.isInteger(length) || length < 0 || length > this.#length) {
      throw new EngineError(
        'invalid-argument',
        `truncate(${length}) on a session of ${this.#length} tokens; give 0 to ${this.#length}.`,
      )
    }
    this.#length = length
  }

  shift(from: number, to: number): void {
    const { caches } = this.#live()
    if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to < from || to > this.#length) {
      throw new EngineError(
        'invalid-argument',
        `shift(${from}, ${to}) on a session of ${this.#length} tokens; give 0 ≤ from ≤ to ≤ ${this.#length}.`,
      )
    }
    for (const cache of caches) cache.shift(from, to, this.#length)
    this.#length -= to - from
  }

  dispose(): void {
    this.#caches = null
    this.#length = 0
    this.#owner.forget(this)
  }

  #live(): { weights: Weights; caches: LayerCache[] } {
    if (this.#caches === null) {
      throw new EngineError('disposed', 'This session was disposed of; create a new one from its backend.')
    }
    return { weights: this.#owner.liveWeights(), caches: this.#caches }
  }

  /** (tokens, embedding) */
  #embed(weights: Weights, tokens: ArrayLike<number>): Float64Array {
    const { embeddingLength, embeddingScale } = this.#model
    const x = new Float64Array(tokens.length * embeddingLength)
    for (let t = 0; t < tokens.length; t++) {
      const row = tokens[t]! * embeddingLength
      for (let i = 0; i < embeddingLength; i++) {
        x[t * embeddingLength + i] = weights.tokenEmbedding[row + i]! * embeddingScale
      }
    }
    return x
  }

  /** Causal self-attention of `count` tokens that follow those in the cache: (tokens, embedding) in and out. */
  #attention(layer: LayerWeights, cache: LayerCache, x: Float64Array, count: number): Float64Array {
    const { embeddingLength, headCount, kvHeadCount, headDim, normEpsilon } = this.#model
    const queryLength = headCount * headDim
    const kvLength = kvHeadCount * headDim
    const queries = new Float64Array(count * queryLength) // (tokens, headCount, headDim)
    const keys = new Float64Array(count * kvLength) // (tokens, kvHeadCount, headDim)
    const values = new Float64Array(count * kvLength) // (tokens, kvHeadCount, headDim)
    linear(queries, layer.query, x, count, embeddingLength, queryLength)
    linear(keys, layer.key, x, count, embeddingLength, kvLength)
    linear(values, layer.value, x, count, embeddingLength, kvLength)
    if (layer.queryBias) add(queries, layer.queryBias)
    if (layer.keyBias) add(keys, layer.keyBias)
    if (layer.valueBias) add(values, layer.valueBias)
    if (layer.queryNorm) rmsNorm(queries, queries, layer.queryNorm, normEpsilon)
    if (layer.keyNorm) rmsNorm(keys, keys, layer.keyNorm, normEpsilon)

    const mixed = new Float64Array(count * queryLength) // (tokens, headCount, headDim)
    for (let t = 0; t < count; t++) {
      const position = this.#length + t
      const query = queries.subarray(t * queryLength, (t + 1) * queryLength)
      rotate(query, query, headDim, position, layer.rope)
      cache.put(
        position,
        keys.subarray(t * kvLength, (t + 1) * kvLength),
        values.subarray(t * kvLength, (t + 1) * kvLength),
      )
      this.#attend(
        mixed.subarray(t * queryLength, (t + 1) * queryLength),
        query,
        cache,
        position,
        layer.window,
      )
    }

    const out = new Float64Array(count * embeddingLength)
    linear(out, layer.output, mixed, count, queryLength, embeddingLength)
    return out
  }

  /** One token's heads over the keys it may see. Query head h shares key head h × kvHeadCount / headCount, rounded down. */
  #attend(
    out: Float64Array, // (headCount, headDim), zeros
    query: Float64Array, // (headCount, headDim), rotated
    { keys, values }: LayerCache,
    position: number,
    window: number | null,
  ): void {
    const { headCount, kvHeadCount, headDim, attentionScale, attentionSoftcap } = this.#model
    const kvLength = kvHeadCount * headDim
    const first = window === null ? 0 : Math.max(0, position - window + 1)
    const seen = position - first + 1
    const scores = new Float64Array(seen)
    for (let head = 0; head < headCount; head++) {
      const kvHead = Math.floor((head * kvHeadCount) / headCount)
      for (let s = 0; s < seen; s++) {
        const key = (first + s) * kvLength + kvHead * headDim
        let score = 0
        for (let i = 0; i < headDim; i++) score += query[head * headDim + i]! * keys[key + i]!
        scores[s] = softcap(score * attentionScale, attentionSoftcap)
      }
      softmax(scores, seen)
      for (let s = 0; s < seen; s++) {
        const weight = scores[s]!
        const value = (first + s) * kvLength + kvHead * headDim
        for (let i = 0; i < headDim; i++) out[head * headDim + i]! += weight * values[value + i]!
      }
    }
  }

  /** down × (activation(gate × x) · (up × x)): (tokens, embedding) in and out. */
  #feedForward(layer: LayerWeights, x: Float64Array, count: number): Float64Array {
    const { embeddingLength, feedForwardLength, activation } = this.#model
    const activate = activation === 'silu' ? silu : gelu
    const gate = new Float64Array(count * feedForwardLength)
    const up = new Float64Array(count * feedForwardLength)
    linear(gate, layer.gate, x, count, embeddingLength, feedForwardLength)
    linear(up, layer.up, x, count, embeddingLength, feedForwardLength)
    for (let i = 0; i < gate.length; i++) gate[i] = activate(gate[i]!) * up[i]!
    const out = new Float64Array(count * embeddingLength)
    linear(out, layer.down, gate, count, feedForwardLength, embeddingLength)
    return out
  }

  /** Logits of each row of x: (outputs, embedding). */
  #head(weights: Weights, x: Float64Array, outputs: number): Logits[] {
    const { embeddingLength, vocabularySize, normEpsilon, logitSoftcap } = this.#model
    const normed = new Float64Array(x.length)
    rmsNorm(normed, x, weights.outputNorm, normEpsilon)
    const logits = new Float64Array(outputs * vocabularySize)
    linear(logits, weights.outputHead, normed, outputs, embeddingLength, vocabularySize)
    return Array.from({ length: outputs }, (_, t) => {
      const row = logits.subarray(t * vocabularySize, (t + 1) * vocabularySize)
      const hidden = Float32Array.from(normed.subarray(t * embeddingLength, (t + 1) * embeddingLength))
      return new ReferenceLogits(
        Float32Array.from(row, (logit) => softcap(logit, logitSoftcap)),
        hidden,
      )
    })
  }
}

class ReferenceLogits implements Logits {
  readonly argmax: number
  readonly maximum: number
  readonly logSumExp: number
  readonly margin: number
  readonly entropy: number
  readonly top = null
  readonly #values: Float32Array // (vocabulary)
  readonly #hidden: Float32Array // (embedding)

  constructor(values: Float32Array, hidden: Float32Array) {
    this.#values = values
    this.#hidden = hidden
    let argmax = 0
    for (let i = 1; i < values.length; i++) if (values[i]! > values[argmax]!) argmax = i
    const max = values[argmax]!
    let second = -Infinity
    let sum = 0
    for (let i = 0; i < values.length; i++) {
      if (i !== argmax) second = Math.max(second, values[i]!)
      sum += Math.exp(values[i]! - max)
    }
    this.argmax = argmax
    this.maximum = max
    this.logSumExp = max + Math.log(sum)
    this.margin = max - second
    let entropy = 0
    for (let i = 0; i < values.length; i++) {
      const logProbability = values[i]! - this.logSumExp
      if (logProbability > -Infinity) entropy -= Math.exp(logProbability) * logProbability
    }
    this.entropy = entropy
  }

  hidden(): Float32Array {
    return this.#hidden.slice()
  }

  values(): Float32Array {
    return this.#values
  }
}
