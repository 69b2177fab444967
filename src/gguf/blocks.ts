import { EngineError } from '../contract/error'
import { blockLayouts } from './block-layout'
import { dequantizeIq4Nl, dequantizeQ4, dequantizeQ5, dequantizeQ8 } from './blocks-of-32'
import { dequantizeQ2K, dequantizeQ3K, dequantizeQ4K, dequantizeQ5K, dequantizeQ6K } from './blocks-of-256'
import { bfloatToFloat, halfToFloat } from './half'
import type { GgmlType } from './types'

/** Turns whole blocks into floats. `bytes` and `out` are of matching lengths. */
export type Dequantizer = (bytes: Uint8Array, out: Float32Array) => void

const dequantizers: Readonly<Record<GgmlType, Dequantizer>> = {
  F32: (bytes, out) => eachValue(bytes, out, (view, index) => view.getFloat32(index * 4, true)),
  F16: (bytes, out) => eachValue(bytes, out, (view, index) => halfToFloat(view.getUint16(index * 2, true))),
  BF16: (bytes, out) =>
    eachValue(bytes, out, (view, index) => bfloatToFloat(view.getUint16(index * 2, true))),
  Q4_0: (bytes, out) => dequantizeQ4(bytes, out, false),
  Q4_1: (bytes, out) => dequantizeQ4(bytes, out, true),
  Q5_0: (bytes, out) => dequantizeQ5(bytes, out, false),
  Q5_1: (bytes, out) => dequantizeQ5(bytes, out, true),
  Q8_0: dequantizeQ8,
  Q2_K: dequantizeQ2K,
  Q3_K: dequantizeQ3K,
  Q4_K: dequantizeQ4K,
  Q5_K: dequantizeQ5K,
  Q6_K: dequantizeQ6K,
  IQ4_NL: dequantizeIq4Nl,
}

/**
 * The weights that `bytes`, whole blocks of `type`, stand for, to the last bit as ggml's scalar code gives them
 * (dequantize_row_* of https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-quants.c).
 * @throws EngineError 'invalid-argument' where the lengths of `bytes` and `out` do not match.
 */
export function dequantize(type: GgmlType, bytes: Uint8Array, out: Float32Array): void {
  const { blockSize, bytesPerBlock } = blockLayouts[type]
  if (bytes.length % bytesPerBlock !== 0 || (bytes.length / bytesPerBlock) * blockSize !== out.length) {
    throw new EngineError(
      'invalid-argument',
      `${bytes.length} bytes of ${type} do not make ${out.length} weights: ` +
        `${bytesPerBlock} bytes make ${blockSize}.`,
      { details: { type, bytes: bytes.length, weights: out.length } },
    )
  }
  dequantizers[type](bytes, out)
}

function eachValue(
  bytes: Uint8Array,
  out: Float32Array,
  read: (view: DataView, index: number) => number,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let index = 0; index < out.length; index++) out[index] = read(view, index)
}
