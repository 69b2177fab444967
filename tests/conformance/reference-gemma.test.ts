import { loadReference } from '../../src/backend/reference/load'
import { describeGemma } from './gemma-cases'

// 50 steps, so that one more or less is 2 %; measured: 97.9 % and 0.0051.
describeGemma('reference', loadReference, { top1ApartFromNearTies: 0.95, meanKl: 0.01 })
