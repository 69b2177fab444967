import type { CpuRatios, Ratios } from './summary'

/** What each ratio must reach, and how to say it. The order is that of the tables. */
export interface Target {
  readonly key: keyof Ratios
  readonly label: string
  readonly wanted: { readonly atLeast: number } | { readonly atMost: number } | null
}

export const TARGETS: readonly Target[] = [
  {
    key: 'decode_1t_vs_wllama',
    label: 'decode, against wllama on the same GGUF, 1 thread',
    wanted: { atLeast: 7 },
  },
  {
    key: 'decode_2t_vs_wllama',
    label: 'decode, against wllama on the same GGUF, 2 threads',
    wanted: { atLeast: 9 },
  },
  {
    key: 'decode_1t_vs_wllama_fastest',
    label: "decode, against wllama's fastest format, 1 thread",
    wanted: { atLeast: 6 },
  },
  {
    key: 'prefill512_1t_vs_wllama',
    label: 'prefill 512, against wllama on the same GGUF, 1 thread',
    wanted: { atLeast: 22 },
  },
  {
    key: 'prefill512_1t_vs_wllama_fastest',
    label: "prefill 512, against wllama's fastest format, 1 thread",
    wanted: { atLeast: 18 },
  },
  {
    key: 'decode_1t_vs_onnxruntime',
    label: 'decode, against onnxruntime-web (WASM) on the same weights, 1 thread',
    wanted: null,
  },
  {
    key: 'decode_2t_vs_onnxruntime',
    label: 'decode, against onnxruntime-web (WASM) on the same weights, 2 threads',
    wanted: null,
  },
  {
    key: 'prefill512_1t_vs_onnxruntime',
    label: 'prefill 512, against onnxruntime-web (WASM) on the same weights, 1 thread',
    wanted: null,
  },
  {
    key: 'prefill512_2t_vs_onnxruntime',
    label: 'prefill 512, against onnxruntime-web (WASM) on the same weights, 2 threads',
    wanted: null,
  },
  {
    key: 'decode_1024_vs_128',
    label: 'decode at 1,024 tokens, against our own at 128',
    wanted: { atLeast: 0.85 },
  },
  {
    key: 'decode_1t_vs_native',
    label: 'decode, against native llama.cpp, 1 thread',
    wanted: { atLeast: 0.85 },
  },
  {
    key: 'decode_2t_vs_native',
    label: 'decode, against native llama.cpp, 2 threads',
    wanted: { atLeast: 0.85 },
  },
  {
    key: 'prefill512_1t_vs_native',
    label: 'prefill 512, against native llama.cpp, 1 thread',
    wanted: { atLeast: 0.6 },
  },
  { key: 'decode_2t_vs_1t', label: 'decode, 2 threads against 1', wanted: { atLeast: 1.8 } },
  { key: 'prefill_2t_vs_1t', label: 'prefill 512, 2 threads against 1', wanted: { atLeast: 1.8 } },
  {
    key: 'lookup_gain',
    label: 'prompt lookup on summarise-and-quote prompts, against without, 1 thread',
    wanted: { atLeast: 1.5 },
  },
  {
    key: 'lookup_gain_2t',
    label: 'the same, 2 threads',
    wanted: { atLeast: 1.5 },
  },
  {
    key: 'batch4_vs_1',
    label: 'tokens a second of four answers at a time, against one, 1 thread',
    wanted: { atLeast: 2 },
  },
  { key: 'batch2_vs_1', label: 'the same, two answers', wanted: null },
  { key: 'batch8_vs_1', label: 'the same, eight answers', wanted: null },
  {
    key: 'load_vs_wllama',
    label: 'load from cached bytes to the first token, against wllama',
    wanted: { atMost: 0.35 },
  },
  {
    key: 'bytes_brotli',
    label: 'JavaScript + WASM of a first answer, brotli bytes',
    wanted: { atMost: 150 * 1024 },
  },
  {
    key: 'peak_memory_vs_weights',
    label: "peak renderer memory over an idle page, against the weights' bytes",
    wanted: { atMost: 1.6 },
  },
]

export function describeWanted({ wanted }: Target): string {
  if (wanted === null) return ''
  return 'atLeast' in wanted ? `≥ ${formatFigure(wanted.atLeast)}` : `≤ ${formatFigure(wanted.atMost)}`
}

/** Null where nothing is wanted or nothing was measured. */
export function isMet({ wanted }: Target, value: number | null): boolean | null {
  if (wanted === null || value === null) return null
  return 'atLeast' in wanted ? value >= wanted.atLeast : value <= wanted.atMost
}

/** Empty where the comparison is not made by CPU time. */
export function byCpuTime(cpuRatios: CpuRatios, key: keyof Ratios): string {
  const values: Partial<Record<keyof Ratios, number | null>> = { ...cpuRatios }
  const value = values[key] ?? null
  return value === null ? '' : formatFigure(value)
}

export function formatFigure(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
