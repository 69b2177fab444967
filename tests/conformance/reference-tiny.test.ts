import { loadReference } from '../../src/backend/reference/load'
import { describeTinyModels } from './tiny-model-cases'

describeTinyModels('reference', loadReference, {
  floats: { top1ApartFromNearTies: 1, meanKl: 1e-4 },
  quantised: { top1ApartFromNearTies: 0.97, meanKl: 0.01 },
  againstReference: { top1ApartFromNearTies: 1, meanKl: 0 },
})
