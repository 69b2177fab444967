import { loadReference } from '../../src/backend/reference/load'
import { describeForcedDecoding } from './forced-decoding-cases'

// Sessions and dispose are tested on tiny models (reference-tiny.test.ts): this one takes seconds a call.
// Against itself, the reference differs by the rounding of the recording alone (1/8192 nat).
describeForcedDecoding('reference', loadReference, {
  recordedPrompts: 2,
  againstNative: { top1ApartFromNearTies: 0.97, meanKl: 0.01 },
  againstReference: { top1ApartFromNearTies: 1, meanKl: 1e-4 },
})
