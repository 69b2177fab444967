import { SEQUENCES, type BatchSample } from './batch'
import type { LoadSample } from './loading'
import type { LookupSample } from './lookup'
import type { MemoryFigures } from './memory'
import type { Report } from './report'
import { batchRate, type SpeedRow } from './summary'
import { byCpuTime, describeWanted, formatFigure, isMet, TARGETS, type Target } from './targets'

export interface Picture {
  /** From docs/. */
  readonly path: string
  readonly title: string
}

/** docs/benchmarks.md: what a report says, and nothing else. */
export function benchmarkPage(report: Report, pictures: readonly Picture[]): string {
  const { machine, versions, mode, startedAt, speeds, raw } = report
  const command = mode === 'quick' ? 'npm run bench -- --quick' : 'npm run bench'
  const loadAverage = machine.loadAverage.map((value) => value.toFixed(2)).join(', ')
  return `<!-- Written by \`npm run bench:docs\` from benchmarks.json: change the scripts in bench/, not this file. -->

# Benchmarks

SmolLM2-135M-Instruct, Q4_1, ${startedAt.slice(0, 10)}, \`${command}\`. All in the browser ran in one Chromium ${versions['chromium']}, in turns
with each other and with native llama.cpp; figures are medians. How, and with which settings:
[bench/README.md](../bench/README.md). Peers: wllama ${versions['wllama']}, onnxruntime-web ${versions['onnxruntime-web']},
node-llama-cpp ${versions['node-llama-cpp']}.
Machine: ${machine.processor}, ${machine.cores} cores, ${machine.system}; load average at the start: ${loadAverage} (over ${machine.cores}, others were
at work too: then CPU time compares better than the clock).

${table(
  ['', 'measured', 'wanted', 'met', 'by CPU time'],
  TARGETS.map((target) => ratioRow(report, target)),
)}

${pictures.map(({ path, title }) => `![${title}](${path})`).join('\n\n')}

## Speeds

${table(['', 'engine', 'threads', 'tokens/s', 'range', 'runs', 'CPU-seconds for 1,000 tokens'], speeds.map(speedRow))}

## Loading

Milliseconds from the GGUF's bytes in a Blob, 1 thread.

${table(['engine', 'loaded', 'first token after that', 'together'], raw.loads.map(loadRow))}

## Memory

The renderer process, MiB resident.

${table(['threads', 'weights', 'idle page', 'peak', 'after an answer', 'peak over idle, against weights'], raw.memory.map(memoryRow))}

## Prompt lookup

Time to decode without it, over the time with it. The answers must be the same.

${table(['prompt', 'threads', 'gain', 'tokens', 'proposed', 'accepted', 'same text'], raw.lookups.map(lookupRow))}

## Several answers at a time

1 thread, tokens a second of all answers together. Each must be what it is alone.

${table(
  ['answers', 'tokens/s', 'same text'],
  SEQUENCES.map((sequences) => batchRow(raw.batches, sequences)),
)}

## Download

What the page fetches from an empty cache until it answers, without the model.

${table(
  ['file', 'bytes', 'brotli'],
  raw.bytes.map(({ file, bytes, brotliBytes }) => [file, String(bytes), String(brotliBytes)]),
)}
`
}

/** `wllama-q8_0-1t` → `wllama, Q8_0`; what needs no format named is on the same Q4_1 file. */
export function nameOf(subject: string): string {
  const [engine, format] = subject.replace(/-\dt$/, '').split('-')
  if (engine === 'minnow') return 'Minnow'
  if (engine === 'native') return 'llama.cpp, native'
  if (engine === 'onnxruntime') return format === 'q4_1' ? 'onnxruntime-web' : `onnxruntime-web, ${format}`
  return format === undefined || format === 'q4_1' ? engine! : `${engine}, ${format.toUpperCase()}`
}

function ratioRow({ ratios, cpuRatios }: Report, target: Target): string[] {
  const value = ratios[target.key]
  const met = isMet(target, value)
  return [
    target.label,
    value === null ? 'not measured' : formatFigure(value),
    describeWanted(target),
    met === null ? '' : yesOrNo(met),
    byCpuTime(cpuRatios, target.key),
  ]
}

function speedRow(row: SpeedRow): string[] {
  return [
    `${row.measure} ${row.tokens.toLocaleString('en')}`,
    nameOf(row.subject),
    row.subject.endsWith('-2t') ? '2' : '1',
    formatFigure(row.tokensPerSecond),
    `${formatFigure(row.slowest)}–${formatFigure(row.fastest)}`,
    String(row.samples),
    row.cpuSecondsPer1000 === null ? '' : formatFigure(row.cpuSecondsPer1000),
  ]
}

function loadRow({ engine, loadMs, firstTokenMs, totalMs }: LoadSample): string[] {
  return [engine, loadMs.toFixed(0), firstTokenMs.toFixed(0), totalMs.toFixed(0)]
}

function memoryRow(memory: MemoryFigures): string[] {
  const { threads, weightsBytes, idleRssBytes, peakRssBytes, settledRssBytes } = memory
  return [
    String(threads),
    ...[weightsBytes, idleRssBytes, peakRssBytes, settledRssBytes].map((bytes) =>
      (bytes / 1024 / 1024).toFixed(0),
    ),
    formatFigure((peakRssBytes - idleRssBytes) / weightsBytes),
  ]
}

function lookupRow(sample: LookupSample): string[] {
  const { draftedTokens, acceptedTokens, newTokens } = sample.with
  return [
    sample.prompt,
    String(sample.threads),
    formatFigure(sample.without.decodeMs / sample.with.decodeMs),
    String(newTokens),
    String(draftedTokens),
    String(acceptedTokens),
    yesOrNo(sample.sameText),
  ]
}

function batchRow(samples: readonly BatchSample[], sequences: number): string[] {
  const rate = batchRate(samples, sequences)
  const own = samples.filter((sample) => sample.sequences === sequences)
  return [
    String(sequences),
    rate === null ? 'not measured' : formatFigure(rate),
    yesOrNo(own.every(({ sameText }) => sameText)),
  ]
}

function yesOrNo(value: boolean): string {
  return value ? 'yes' : '**no**'
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return 'Not measured in this run.'
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
