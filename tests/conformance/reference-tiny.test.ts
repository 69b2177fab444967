import { loadReference } from '../../src/backend/reference/load'
import { describeTinyModels } from './tiny-model-cases'

// 60 steps each, so that one more or less is 1.7 % of top-1; the KL divergence is the finer measure.
// llama.cpp itself rounds: BF16 weights meet BF16 activations, quantised ones 8-bit activations, keys and values are F16.
describeTinyModels('reference', loadReference, {
  floats: { top1ApartFromNearTies: 0.98, meanKl: 2e-4 },
  quantised: { top1ApartFromNearTies: 0.95, meanKl: 0.005 },
  floatsAgainstReference: { top1ApartFromNearTies: 1, meanKl: 0 },
  quantisedAgainstReference: { top1ApartFromNearTies: 1, meanKl: 0 },
})
