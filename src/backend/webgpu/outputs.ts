import { EngineError } from '../../contract/error'
import type { ModelDefinition } from '../../model/definition'
import type { FollowedLogits, LogitDetail, TopLogits } from '../backend'
import { logitStride, padded } from './plan'
import { rowsOffset, selectionOffset, summaryOffset } from './readback'
import { SELECTION_HEAD, SUMMARY_FLOATS } from './shaders/logits'

interface OutputContext {
  readonly model: ModelDefinition
  /** (embeddingLength) */
  readonly outputNorm: Float32Array
}

/** What the GPU wrote of some outputs (readback.ts), copied: the buffer is used again. */
export function readOutputs(
  bytes: ArrayBuffer,
  rows: number,
  detail: LogitDetail,
  context: OutputContext,
): FollowedLogits[] {
  const { vocabularySize, embeddingLength } = context.model
  const stride = logitStride(context.model)
  const token = new Uint32Array(bytes, 0, 1)[0]!
  const width = padded(embeddingLength)
  const summaries = new Float32Array(bytes, summaryOffset, rows * SUMMARY_FLOATS).slice()
  const top = detail === 'top' ? readTop(bytes) : null
  const whole = detail === 'all' ? new Float32Array(bytes, rowsOffset, rows * (stride + width)).slice() : null
  return Array.from({ length: rows }, (_, row) => {
    const [argmax, maximum, sum, weighted, second, tempered] = summaries.subarray(
      row * SUMMARY_FLOATS,
      (row + 1) * SUMMARY_FLOATS,
    ) as unknown as [number, number, number, number, number, number]
    const values = whole?.subarray(row * stride, row * stride + vocabularySize)
    const residual = whole?.subarray(
      rows * stride + row * width,
      rows * stride + row * width + embeddingLength,
    )
    return {
      token,
      argmax,
      maximum,
      logSumExp: maximum + Math.log(sum),
      margin: vocabularySize === 1 ? Infinity : maximum - second,
      entropy: Math.log(sum) - weighted / sum,
      tempered: tempered > 0 ? tempered : undefined,
      top,
      values: () => values ?? notRead(),
      hidden: () => normed(residual ?? notRead(), context),
    }
  })
}

function readTop(bytes: ArrayBuffer): TopLogits {
  const words = new Uint32Array(bytes, selectionOffset)
  const floats = new Float32Array(bytes, selectionOffset)
  const order = Array.from({ length: words[2]! }, (_, i) => SELECTION_HEAD + i * 2).toSorted(
    (a, b) => floats[b + 1]! - floats[a + 1]! || words[a]! - words[b]!,
  )
  return {
    ids: Uint32Array.from(order, (at) => words[at]!),
    logits: Float32Array.from(order, (at) => floats[at + 1]!),
  }
}

/** RMS norm as the head has it. */
function normed(residual: Float32Array, { model, outputNorm }: OutputContext): Float32Array {
  let squares = 0
  for (const value of residual) squares += value * value
  const root = 1 / Math.sqrt(squares / residual.length + model.normEpsilon)
  return residual.map((value, i) => value * root * outputNorm[i]!)
}

function notRead(): never {
  throw new EngineError('internal', "Whole logits were not read: ask forward() for detail 'all'.")
}
