import { loadWasm } from '../../src/backend/wasm'
import { describeGemma } from './gemma-cases'

// 50 steps, so that one more or less is 2 %.
describeGemma('wasm', loadWasm, { top1ApartFromNearTies: 0.95, meanKl: 0.01 })
