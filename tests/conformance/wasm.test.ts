import { setFlagsFromString } from 'node:v8'
import { loadWasmVariant, type Variant } from '../../src/backend/wasm'
import { describeBackend } from './backend-cases'

// Node 20 has relaxed SIMD behind this flag.
if (Number(process.versions.node.split('.')[0]) < 21) setFlagsFromString('--experimental-wasm-relaxed-simd')

// Not relaxed32: Node 20's V8 (11.3) adds i32x4.relaxed_dot_i8x16_i7x16_add_s to itself instead of to its third
// operand, in both of its compilers. tests/browser/wasm-backend.spec.ts runs all three in Chromium.
const variants: readonly Variant[] = ['simd', 'relaxed16']

for (const variant of variants) {
  describeBackend(`wasm ${variant}`, (options) => loadWasmVariant(options, variant), {
    threads: [1, 2],
    againstNative: { top1ApartFromNearTies: 0.97, meanKl: 0.01 },
    againstNativeLive: { top1ApartFromNearTies: 0.93, meanKl: 0.01 },
    againstReference: { top1ApartFromNearTies: 0.97, meanKl: 0.01 },
  })
}
