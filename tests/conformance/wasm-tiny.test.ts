import { loadWasmVariant } from '../../src/backend/wasm'
import { describeTinyModels } from './tiny-model-cases'

// 60 steps each, so that one more or less is 1.7 % of top-1; the KL divergence is the finer measure.
// Float models: keys and values are rounded to 13 bits and a scale, which the reference does not; llama.cpp has half
// floats there and rounds inputs of BF16 weights to BF16. Quantised ones: inputs are rounded to 8 bits a block of 32.
// llama.cpp does that too, but for K types a block of 256; its roundings and ours are independent, so that both count.
describeTinyModels('wasm simd', (options) => loadWasmVariant(options, 'simd'), {
  floats: { top1ApartFromNearTies: 0.98, meanKl: 2e-4 },
  quantised: { top1ApartFromNearTies: 0.9, meanKl: 0.008 },
  floatsAgainstReference: { top1ApartFromNearTies: 0.98, meanKl: 2e-5 },
  quantisedAgainstReference: { top1ApartFromNearTies: 0.95, meanKl: 0.004 },
})
