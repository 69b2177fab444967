import { readFile } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { Arena } from '../../src/backend/wasm/arena'
import { matrixFields, recordBytes, writeRecord } from '../../src/backend/wasm/records'
import type { GgmlType } from '../../src/gguf/types'

// Node 20 has relaxed SIMD behind this flag.
if (Number(process.versions.node.split('.')[0]) < 21) setFlagsFromString('--experimental-wasm-relaxed-simd')

/** Unit roundoff of f32: one operation's result is off by at most this share of itself. */
export const f32Unit = 2 ** -24

/** As kernels/structs.ts numbers them. */
export const matrixKinds = { bits4: 0, bits8: 1, bits7: 2, F32: 3, F16: 4, BF16: 5 } as const

/** Types that become groups of 8 rows, with their number in a file. */
export const packedTypes = {
  Q4_0: 2,
  Q4_1: 3,
  Q5_0: 6,
  Q5_1: 7,
  Q8_0: 8,
  Q2_K: 10,
  Q3_K: 11,
  Q4_K: 12,
  Q5_K: 13,
  Q6_K: 14,
  IQ4_NL: 20,
} as const satisfies Partial<Record<GgmlType, number>>
export type PackedType = keyof typeof packedTypes

/** What kernels/testing.ts exports. Pointers are byte offsets. */
export interface TestingKernels {
  attendChunk(
    model: number,
    cache: number,
    layer: number,
    kvHead: number,
    chunkStart: number,
    first: number,
    last: number,
    codes: number,
    factors: number,
    group: number,
    work: number,
    partials: number,
    partialStride: number,
  ): void
  clearResult(result: number, headDim: number): void
  mergePartial(result: number, partial: number, headDim: number): void
  finishResult(cache: number, result: number, headDim: number, out: number): void
  storeQuery(model: number, cache: number, values: number, codes: number): number
  storeKey: StoreVector
  storeValue: StoreVector
  loadKey(model: number, cache: number, layer: number, head: number, position: number, out: number): void
  moveValue(model: number, cache: number, layer: number, head: number, from: number, to: number): void
  quantizeRecord(values: number, record: number, columns: number): void
  rmsNorm(input: number, weight: number, columns: number, epsilon: number, output: number): void
  summarizeLogits(model: number, scratch: number, outputs: number): void
  hadamard(values: number, count: number, scale: number): void
  exp1(x: number): number
  floatToHalf(value: number): number
  halfToFloat(bits: number): number
  product(
    matrix: number,
    values: number,
    tokens: number,
    out: number,
    outStride: number,
    add: number,
    work: number,
  ): void
  productWorkBytes(columns: number, tokens: number): number
  recordStride(columns: number): number
  readRow(matrix: number, row: number, scale: number, out: number): void
  groupBytes(kind: number, columns: number): number
  matrixKind(type: number): number
  repack(type: number, source: number, rows: number, columns: number, target: number, codes: number): void
  rotate(head: number, rotation: number, dimensions: number, style: number): void
  setThread(index: number, count: number): void
  recordCodes(record: number, columns: number): number
  recordMeta(record: number, columns: number): number
  codeBytes(): number
  expAll(values: number, count: number): void
  exp2NegativeAll(values: number, count: number): void
  siluAll(values: number, count: number): void
  geluAll(values: number, count: number): void
  softcapAll(values: number, count: number, cap: number): void
}

type StoreVector = (
  model: number,
  cache: number,
  layer: number,
  head: number,
  position: number,
  values: number,
  codes: number,
) => void

/** relaxed32 runs in Chromium only: V8 11.3 (Node 20) computes its dot product wrongly (tests/conformance/wasm.test.ts). */
export const nodeVariants = ['simd', 'relaxed16'] as const
export type NodeVariant = (typeof nodeVariants)[number]

/** The kernels of one build over a memory of their own. */
export class KernelBench {
  readonly kernels: TestingKernels
  readonly arena: Arena

  private constructor(kernels: TestingKernels, arena: Arena) {
    this.kernels = kernels
    this.arena = arena
  }

  static async open(variant: NodeVariant): Promise<KernelBench> {
    const path = new URL(`../../build/kernels-testing/${variant}.wasm`, import.meta.url)
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 })
    const { instance } = await WebAssembly.instantiate(await readFile(path), { env: { memory } })
    return new KernelBench(instance.exports as unknown as TestingKernels, new Arena(memory))
  }

  /** Room filled with what no kernel may read: as f32 NaN, as f16 NaN, as i16 −1. */
  room(bytes: number): number {
    const pointer = this.arena.allocate(bytes, 'A test')
    this.bytes(pointer, bytes).fill(0xff)
    return pointer
  }

  put(values: ArrayLike<number>): number {
    const pointer = this.room(values.length * 4)
    this.floats(pointer, values.length).set(values)
    return pointer
  }

  putBytes(bytes: Uint8Array): number {
    const pointer = this.room(bytes.length)
    this.bytes(pointer, bytes.length).set(bytes)
    return pointer
  }

  /** A record of records.ts. */
  putRecord<F extends Parameters<typeof recordBytes>[0]>(
    fields: F,
    values: { readonly [K in keyof F]: number },
  ): number {
    const pointer = this.room(recordBytes(fields))
    writeRecord(this.arena.buffer, pointer, fields, values)
    return pointer
  }

  putMatrix(values: { kind: number; rows: number; columns: number; data: number }): number {
    return this.putRecord(matrixFields, values)
  }

  /** Rows of a file's type, repacked. */
  putPacked(type: PackedType, rows: number, columns: number, source: Uint8Array): number {
    const number = packedTypes[type]
    const kind = this.kernels.matrixKind(number)
    const data = this.room(Math.ceil(rows / 8) * this.kernels.groupBytes(kind, columns))
    this.kernels.repack(number, this.putBytes(source), rows, columns, data, this.room(32))
    return this.putMatrix({ kind, rows, columns, data })
  }

  // Views: valid until the memory grows.
  bytes(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.arena.buffer, pointer, length)
  }

  floats(pointer: number, length: number): Float32Array {
    return new Float32Array(this.arena.buffer, pointer, length)
  }

  /** A copy, which stays. */
  take(pointer: number, length: number): Float32Array {
    return this.floats(pointer, length).slice()
  }
}

/** Where |got − want| exceeds its bound, or either is no number: in words, the first of them. Else null. */
export function firstMiss(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  bound: (index: number) => number,
): string | null {
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(got[i]! - want[i]!)
    if (!(error <= bound(i))) {
      return `at ${i}: ${got[i]} for ${want[i]}, off by ${error}, allowed ${bound(i)}`
    }
  }
  return got.length === want.length ? null : `${got.length} values for ${want.length}`
}
