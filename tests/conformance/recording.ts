import type { Distribution } from './agreement'

/**
 * What one program made of forced tokens: for each step, the likeliest tokens and their log-probabilities.
 * As JSON: ids are little-endian 32-bit integers and log-probabilities multiples of −1/4096 nat in 16 bits,
 * both in base64. Less likely than e^−16 is written as e^−16.
 */
export interface Recording {
  /** Which program, which version, with what settings. */
  readonly source: string
  /** SHA-256 of the model's file. */
  readonly model: string
  readonly cases: readonly RecordedCase[]
}

export interface RecordedCase {
  readonly prompt: string
  /** The prompt's tokens and the forced ones. */
  readonly tokens: readonly number[]
  /** What the first step saw last: steps follow tokens[firstStep], tokens[firstStep + 1], … */
  readonly firstStep: number
  readonly steps: readonly Distribution[]
}

interface EncodedCase {
  prompt: string
  tokens: number[]
  firstStep: number
  stepCount: number
  ids: string
  logprobs: string
}

interface EncodedRecording {
  source: string
  model: string
  top: number
  cases: EncodedCase[]
}

const perNat = 4096
const lowest = 65_535

export function encodeRecording(recording: Recording, top: number): string {
  const cases = recording.cases.map(({ prompt, tokens, firstStep, steps }): EncodedCase => {
    const ids = new Uint32Array(steps.length * top)
    const logprobs = new Uint16Array(steps.length * top)
    steps.forEach((step, s) => {
      if (step.ids?.length !== top) throw new Error(`Step ${s} has not ${top} tokens.`)
      for (let i = 0; i < top; i++) {
        ids[s * top + i] = step.ids[i]!
        logprobs[s * top + i] = Math.min(lowest, Math.max(0, Math.round(-step.logprobs[i]! * perNat)))
      }
    })
    return {
      prompt,
      tokens: [...tokens],
      firstStep,
      stepCount: steps.length,
      ids: toBase64(ids),
      logprobs: toBase64(logprobs),
    }
  })
  const encoded: EncodedRecording = { source: recording.source, model: recording.model, top, cases }
  return `${JSON.stringify(encoded)}\n`
}

export function decodeRecording(json: string): Recording {
  const { source, model, top, cases } = JSON.parse(json) as EncodedRecording
  return {
    source,
    model,
    cases: cases.map(({ prompt, tokens, firstStep, stepCount, ids, logprobs }) => {
      const allIds = new Uint32Array(fromBase64(ids))
      const allLogprobs = Float32Array.from(new Uint16Array(fromBase64(logprobs)), (x) => -x / perNat)
      if (allIds.length !== stepCount * top || allLogprobs.length !== stepCount * top) {
        throw new Error(`The recording of "${prompt}" has not ${stepCount} steps of ${top}; record it again.`)
      }
      const steps = Array.from({ length: stepCount }, (_, s) => ({
        ids: allIds.subarray(s * top, (s + 1) * top),
        logprobs: allLogprobs.subarray(s * top, (s + 1) * top),
      }))
      return { prompt, tokens, firstStep, steps }
    }),
  }
}

function toBase64({ buffer }: Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>): string {
  return Buffer.from(buffer).toString('base64')
}

function fromBase64(text: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(text, 'base64')).buffer
}
