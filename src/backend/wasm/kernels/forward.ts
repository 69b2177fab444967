/**
 * The forward pass of a transformer for one batch of tokens, of one sequence or of several. Every thread runs it and takes its share:
 * rows of matrix products always; tokens of everything else where there are several. With a single token, what comes
 * between matrix products is so little that each thread does it for itself, in its own room, and saves a barrier.
 */
import { quantizeRecord, rmsNorm } from './activations'
import {
  ATTENTION_WORK_BYTES,
  attendChunk,
  CHUNK,
  clearResult,
  finishResult,
  mergePartial,
  partialBytes,
  storeKey,
  storeQuery,
  storeValue,
} from './attention'
import { summarizeLogits } from './logits'
import { gelu4, silu4 } from './math'
import { multiply, readRow, setInputs, tiledTokens } from './matmul'
import { rotate } from './rope'
import { Cache, Layer, Matrix, Model, Scratch } from './structs'
import { barrier, threadCount, threadIndex } from './threads'
import { placeInTile } from './tile'

// The work at hand, the same in every thread.
let model: Model = changetype<Model>(0)
let scratch: Scratch = changetype<Scratch>(0)
let tokens: i32 = 0
/** Tokens [tokenFrom, tokenTo) of the batch are this thread's. */
let tokenFrom: i32 = 0
let tokenTo: i32 = 0
/** First token of the batch still worked on: in the last layer only those whose logits are asked for. */
let firstToken: i32 = 0

/** Where this thread keeps the record of a token's input to the next matrix product. */
// @ts-ignore: decorator
@inline
function recordOf(token: i32): usize {
  return tokens == 1 ? threadArea() : scratch.activation + <usize>token * scratch.activationBytes
}

// @ts-ignore: decorator
@inline
function threadArea(): usize {
  return scratch.threadScratch + <usize>threadIndex * scratch.threadScratchBytes
}

/** A thread's room behind its record: attention work, partial results, a float vector and its codes. */
// @ts-ignore: decorator
@inline
function threadWork(): usize {
  return threadArea() + scratch.activationBytes
}

/** A tile's room: four records' codes and metadata fit in less than four records. */
// @ts-ignore: decorator
@inline
function tileBytes(): usize {
  return <usize>scratch.activationBytes * 4
}

/** The KV cache of a token's sequence. */
// @ts-ignore: decorator
@inline
function cacheOf(token: i32): Cache {
  return changetype<Cache>(load<u32>(scratch.caches + (<usize>token << 2)))
}

/** A token's place in its sequence. */
// @ts-ignore: decorator
@inline
function positionOf(token: i32): i32 {
  return load<i32>(scratch.positions + (<usize>token << 2))
}

/** Makes `values` the input of a token to the next products. */
function setInput(token: i32, values: usize, columns: i32): void {
  const record = recordOf(token)
  quantizeRecord(values, record, columns)
  const place = token - firstToken
  if (place < tiledTokens(tokens - firstToken)) placeInTile(record, columns, scratch.tiles + <usize>(place >> 2) * tileBytes(), place & 3)
}

/** Record of a token's queries: codes i16 (headCount, headDim), then factors f32 (headCount). */
// @ts-ignore: decorator
@inline
function queryBytes(): usize {
  return (<usize>model.headCount * (<usize>model.headDim * 2 + 4) + 15) & ~15
}

// @ts-ignore: decorator
@inline
function queriesOf(token: i32): usize {
  return scratch.queries + <usize>(tokens == 1 ? threadIndex : token) * queryBytes()
}

/** Work on single tokens is done when all have done their share, or at once where each does it all. */
// @ts-ignore: decorator
@inline
function tokensDone(): void {
  if (tokens > 1) barrier()
}

function shareTokens(): void {
  const count = tokens - firstToken
  if (tokens == 1) {
    tokenFrom = 0
    tokenTo = 1
  } else {
    tokenFrom = firstToken + (count * threadIndex) / threadCount
    tokenTo = firstToken + (count * (threadIndex + 1)) / threadCount
  }
  setInputs(
    count, recordOf(firstToken), scratch.activationBytes, scratch.tiles, tileBytes(),
    scratch.unpacked + <usize>threadIndex * scratch.unpackedBytes,
  )
}

// @ts-ignore: decorator
@inline
function residualOf(token: i32): usize {
  return scratch.residual + <usize>token * (<usize>scratch.embeddingStride << 2)
}

/** The normalised residual as input. */
function normalize(weight: usize): void {
  for (let t = tokenFrom; t < tokenTo; t++) {
    const record = recordOf(t)
    rmsNorm(residualOf(t), weight, model.embedding, model.normEpsilon, record)
    setInput(t, record, model.embedding)
  }
  tokensDone()
}

/** out[token] (+)= matrix × record[token] for the tokens worked on. `stride` in floats. */
// @ts-ignore: decorator
@inline
function project(matrix: Matrix, out: usize, stride: i32, add: bool): void {
  const bytes = <usize>stride << 2
  multiply(matrix, out + <usize>firstToken * bytes, bytes, add)
}

/** Adds a product to the residual, through a norm where the model has one. Ends with a barrier. */
function projectToResidual(matrix: Matrix, norm: usize): void {
  if (norm == 0) {
    project(matrix, scratch.residual, scratch.embeddingStride, true)
    barrier()
    return
  }
  project(matrix, scratch.projection, scratch.embeddingStride, false)
  barrier()
  const columns = model.embedding
  for (let t = tokenFrom; t < tokenTo; t++) {
    const normalized = tokens == 1 ? threadArea() : scratch.projection + <usize>t * (<usize>scratch.embeddingStride << 2)
    rmsNorm(
      scratch.projection + <usize>t * (<usize>scratch.embeddingStride << 2), norm, columns, model.normEpsilon, normalized,
    )
    // With one token every thread has the sum; only the first may add it.
    if (tokens > 1 || threadIndex == 0) addTo(residualOf(t), normalized, columns)
  }
  barrier()
}

function addTo(target: usize, values: usize, count: i32): void {
  let i: i32 = 0
  for (; i + 4 <= count; i += 4) {
    const at = <usize>i << 2
    v128.store(target + at, f32x4.add(v128.load(target + at), v128.load(values + at)))
  }
  for (; i < count; i++) {
    const at = <usize>i << 2
    store<f32>(target + at, load<f32>(target + at) + load<f32>(values + at))
  }
}

/** Bias, head norm and rotation of one head, in place. */
// @ts-ignore: decorator
@inline
function prepareHead(head: usize, bias: usize, norm: usize, rotation: usize): void {
  const headDim = model.headDim
  if (bias != 0) addTo(head, bias, headDim)
  if (norm != 0) rmsNorm(head, norm, headDim, model.normEpsilon, head)
  if (rotation != 0) rotate(head, rotation, model.ropeDimensions, model.ropeStyle)
}

/** Turns the products of a layer's q, k and v matrices into query codes and cache entries. */
function storeQueriesKeysValues(layer: Layer, layerIndex: i32): void {
  const headDim = model.headDim
  const headBytes = <usize>headDim << 2
  const vector = threadWork()
  const codes = vector + headBytes
  const keyOffset = <usize>layer.query.rows << 2
  const valueOffset = keyOffset + (<usize>layer.key.rows << 2)
  for (let t = tokenFrom; t < tokenTo; t++) {
    const cache = cacheOf(t)
    const position = positionOf(t)
    const row = scratch.qkv + <usize>t * (<usize>scratch.qkvStride << 2)
    const rotation =
      scratch.rotation + ((<usize>(layer.rope * scratch.maxBatch + t) * <usize>model.ropeDimensions) << 2)
    const queries = queriesOf(t)
    const factors = queries + <usize>model.headCount * <usize>headDim * 2
    for (let h = 0; h < model.headCount; h++) {
      // With one token each thread works on a copy, since the others read the same products.
      memory.copy(vector, row + <usize>h * headBytes, headBytes)
      prepareHead(vector, layer.queryBias ? layer.queryBias + <usize>h * headBytes : 0, layer.queryNorm, rotation)
      const factor = storeQuery(model, cache, vector, queries + <usize>(h * headDim) * 2)
      store<f32>(factors + (<usize>h << 2), factor)
    }
    for (let h = 0; h < model.kvHeadCount; h++) {
      const offset = <usize>h * headBytes
      memory.copy(vector, row + keyOffset + offset, headBytes)
      prepareHead(vector, layer.keyBias ? layer.keyBias + offset : 0, layer.keyNorm, rotation)
      storeKey(model, cache, layerIndex, h, position, vector, codes)
      memory.copy(vector, row + valueOffset + offset, headBytes)
      prepareHead(vector, layer.valueBias ? layer.valueBias + offset : 0, 0, 0)
      storeValue(model, cache, layerIndex, h, position, vector, codes)
    }
  }
  tokensDone()
}

// @ts-ignore: decorator
@inline
function firstVisible(layer: Layer, position: i32): i32 {
  return layer.window > 0 ? max(0, position - layer.window + 1) : 0
}

/** Attention of one token: threads share KV heads × chunks and each merges all. */
function attendOne(layer: Layer, layerIndex: i32): void {
  const group = model.headCount / model.kvHeadCount
  const bytes = partialBytes(model.headDim)
  const cache = cacheOf(0)
  const position = positionOf(0)
  const first = firstVisible(layer, position)
  const chunkFrom = first / CHUNK
  const chunks = position / CHUNK + 1 - chunkFrom
  const items = chunks * model.kvHeadCount
  const queries = queriesOf(0)
  const factors = queries + <usize>model.headCount * <usize>model.headDim * 2
  // A thread's items follow each other in memory, within a page.
  const itemTo = (items * (threadIndex + 1)) / threadCount
  for (let item = (items * threadIndex) / threadCount; item < itemTo; item++) {
    const chunk = item / model.kvHeadCount
    const kvHead = item % model.kvHeadCount
    const head = kvHead * group
    attendChunk(
      model, cache, layerIndex, kvHead, (chunkFrom + chunk) * CHUNK, first, position,
      queries + <usize>(head * model.headDim) * 2, factors + (<usize>head << 2), group, threadWork(),
      scratch.partials + <usize>(chunk * model.headCount + head) * bytes, bytes,
    )
  }
  barrier()
  const record = recordOf(0)
  const result = threadWork()
  for (let h = 0; h < model.headCount; h++) {
    clearResult(result, model.headDim)
    for (let c = 0; c < chunks; c++) {
      mergePartial(result, scratch.partials + <usize>(c * model.headCount + h) * bytes, model.headDim)
    }
    finishResult(cache, result, model.headDim, record + (<usize>(h * model.headDim) << 2))
  }
  setInput(0, record, model.headCount * model.headDim)
}

/** Attention of several tokens: threads share tokens × KV heads. */
function attendMany(layer: Layer, layerIndex: i32): void {
  const group = model.headCount / model.kvHeadCount
  const bytes = partialBytes(model.headDim)
  const partials = threadWork() + ATTENTION_WORK_BYTES
  const results = partials + <usize>group * bytes
  // KV heads outside, tokens inside: a head's cache stays in the second-level cache.
  const count = tokens - firstToken
  const items = count * model.kvHeadCount
  for (let item = threadIndex; item < items; item += threadCount) {
    const kvHead = item / count
    const token = firstToken + (item % count)
    const cache = cacheOf(token)
    const position = positionOf(token)
    const first = firstVisible(layer, position)
    const head = kvHead * group
    const queries = queriesOf(token)
    const factors = queries + <usize>model.headCount * <usize>model.headDim * 2
    for (let g = 0; g < group; g++) clearResult(results + <usize>g * bytes, model.headDim)
    for (let chunkStart = first & ~(CHUNK - 1); chunkStart <= position; chunkStart += CHUNK) {
      attendChunk(
        model, cache, layerIndex, kvHead, chunkStart, first, position,
        queries + <usize>(head * model.headDim) * 2, factors + (<usize>head << 2), group, threadWork(), partials, bytes,
      )
      for (let g = 0; g < group; g++) {
        mergePartial(results + <usize>g * bytes, partials + <usize>g * bytes, model.headDim)
      }
    }
    const record = recordOf(token)
    for (let g = 0; g < group; g++) {
      finishResult(cache, results + <usize>g * bytes, model.headDim, record + (<usize>((head + g) * model.headDim) << 2))
    }
  }
  barrier()
  for (let t = tokenFrom; t < tokenTo; t++) {
    setInput(t, recordOf(t), model.headCount * model.headDim)
  }
  barrier()
}

/** act(gate) × up for this thread's rows of all tokens, then records of it. */
function gatedActivation(layer: Layer): void {
  const stride = <usize>scratch.feedForwardStride << 2
  project(layer.gate, scratch.gate, scratch.feedForwardStride, false)
  project(layer.up, scratch.up, scratch.feedForwardStride, false)
  const groups = (layer.gate.rows + 7) >> 3
  const from = (<usize>((groups * threadIndex) / threadCount)) << 5
  const to = (<usize>((groups * (threadIndex + 1)) / threadCount)) << 5
  const gelu = model.activation == 1
  for (let t = firstToken; t < tokens; t++) {
    const gate = scratch.gate + <usize>t * stride
    const up = scratch.up + <usize>t * stride
    for (let at = from; at < to; at += 16) {
      const g = v128.load(gate + at)
      v128.store(gate + at, f32x4.mul(gelu ? gelu4(g) : silu4(g), v128.load(up + at)))
    }
  }
  barrier()
  for (let t = tokenFrom; t < tokenTo; t++) {
    setInput(t, scratch.gate + <usize>t * stride, layer.down.columns)
  }
  tokensDone()
}

/**
 * Evaluates `count` tokens (scratch.tokens, .positions, .caches) and gives the logits of the last `outputs` of them
 * (scratch.logits, scratch.results). All keys and values of a layer are stored before any token looks back, so that the
 * order of tokens does not matter. Called by every thread with the same arguments.
 */
export function forward(modelPointer: usize, scratchPointer: usize, count: i32, outputs: i32): void {
  model = changetype<Model>(modelPointer)
  scratch = changetype<Scratch>(scratchPointer)
  tokens = count
  firstToken = 0
  shareTokens()
  if (tokens == 1) {
    if (threadIndex == 0) readRow(model.tokenEmbedding, load<i32>(scratch.tokens), model.embeddingScale, residualOf(0))
  } else {
    for (let t = tokenFrom; t < tokenTo; t++) {
      readRow(model.tokenEmbedding, load<i32>(scratch.tokens + (<usize>t << 2)), model.embeddingScale, residualOf(t))
    }
  }
  barrier()
  for (let l = 0; l < model.layerCount; l++) {
    const layer = changetype<Layer>(model.layers + <usize>l * offsetof<Layer>())
    normalize(layer.attentionNorm)
    project(layer.query, scratch.qkv, scratch.qkvStride, false)
    project(layer.key, scratch.qkv + (<usize>layer.query.rows << 2), scratch.qkvStride, false)
    project(layer.value, scratch.qkv + (<usize>(layer.query.rows + layer.key.rows) << 2), scratch.qkvStride, false)
    barrier()
    storeQueriesKeysValues(layer, l)
    if (l == model.layerCount - 1) {
      if (outputs == 0) break
      firstToken = tokens - outputs
      shareTokens()
    }
    if (tokens == 1) attendOne(layer, l)
    else attendMany(layer, l)
    projectToResidual(layer.output, layer.postAttentionNorm)
    normalize(layer.feedForwardNorm)
    gatedActivation(layer)
    projectToResidual(layer.down, layer.postFeedForwardNorm)
  }
  if (outputs > 0) {
    normalize(model.outputNorm)
    multiply(model.outputHead, scratch.logits, <usize>scratch.vocabularyStride << 2, false)
    summarizeLogits(model, scratch, outputs)
  }
  barrier()
}
