import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { barChart, type BarGroup } from './plots/bar-chart'
import type { Report } from './report'
import type { SpeedRow } from './summary'
import { describeWanted, formatFigure, isMet, TARGETS } from './targets'

/**
 * `npm run bench:docs -- FILE.json` writes docs/benchmarks.md and its pictures from what `npm run bench -- --json
 * FILE.json` measured, and keeps the figures beside them as docs/benchmarks.json.
 */
const DOCS = join(import.meta.dirname, '..', 'docs')
const PICTURES = join(DOCS, 'pictures')

const input = process.argv[2]
if (input === undefined) {
  console.error('Usage: npm run bench:docs -- FILE.json')
  process.exit(2)
}
const json = await readFile(input, 'utf8')
const report = JSON.parse(json) as Report
await mkdir(PICTURES, { recursive: true })
await writeFile(join(DOCS, 'benchmarks.json'), json)
const pictures = [
  await picture('benchmark-prefill.svg', 'Prefill', 'prefill'),
  await picture('benchmark-decode.svg', 'Decode', 'decode'),
]
await writeFile(join(DOCS, 'benchmarks.md'), page(report, pictures))

interface Picture {
  readonly path: string
  readonly title: string
}

async function picture(file: string, title: string, measure: SpeedRow['measure']): Promise<Picture> {
  const rows = report.speeds.filter((row) => row.measure === measure)
  const path = join(PICTURES, file)
  await writeFile(path, barChart(title, 'tokens a second, median and range', groupsOf(rows)))
  return { path: relative(DOCS, path), title }
}

/** One group for each length and number of threads, the fastest first. */
function groupsOf(rows: readonly SpeedRow[]): BarGroup[] {
  const groups: BarGroup[] = []
  for (const tokens of [...new Set(rows.map((row) => row.tokens))].toSorted((a, b) => a - b)) {
    for (const threads of [1, 2]) {
      const bars = rows
        .filter((row) => row.tokens === tokens && row.subject.endsWith(`-${threads}t`))
        .toSorted((a, b) => b.tokensPerSecond - a.tokensPerSecond)
        .map((row) => ({
          label: nameOf(row.subject),
          value: row.tokensPerSecond,
          low: row.slowest,
          high: row.fastest,
          isOurs: row.subject.startsWith('minnow'),
        }))
      const title = `${lengthOf(rows[0]!.measure, tokens)}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
      if (bars.length > 0) groups.push({ title, bars })
    }
  }
  return groups
}

function lengthOf(measure: SpeedRow['measure'], tokens: number): string {
  const count = tokens.toLocaleString('en')
  return measure === 'prefill' ? `${count} tokens` : `at a context of ${count}`
}

/** `wllama-q8_0-1t` → `wllama, Q8_0`; what needs no format named is on the same Q4_1 file. */
function nameOf(subject: string): string {
  const [engine, format] = subject.replace(/-\dt$/, '').split('-')
  if (engine === 'minnow') return 'Minnow'
  if (engine === 'native') return 'llama.cpp, native'
  return format === undefined || format === 'q4_1' ? engine! : `${engine}, ${format.toUpperCase()}`
}

function page(
  { machine, versions, mode, startedAt, speeds, ratios, raw }: Report,
  shown: readonly Picture[],
): string {
  const figures = TARGETS.map((target) => {
    const value = ratios[target.key]
    const met = isMet(target, value)
    const verdict = met === null ? '' : met ? 'yes' : '**no**'
    return `| ${target.label} | ${value === null ? 'not measured' : formatFigure(value)} | ${describeWanted(target)} | ${verdict} |`
  })
  const rows = speeds.map((row) => {
    const threads = row.subject.endsWith('-2t') ? 2 : 1
    const cpu = row.cpuSecondsPer1000 === null ? '' : formatFigure(row.cpuSecondsPer1000)
    return (
      `| ${row.measure} ${row.tokens.toLocaleString('en')} | ${nameOf(row.subject)} | ${threads} | ` +
      `${formatFigure(row.tokensPerSecond)} | ${formatFigure(row.slowest)}–${formatFigure(row.fastest)} | ${row.samples} | ${cpu} |`
    )
  })
  const lookups = raw.lookups.map((sample) => {
    const gain = sample.without.decodeMs / sample.with.decodeMs
    const { draftedTokens, acceptedTokens, newTokens } = sample.with
    return `| ${sample.prompt} | ${sample.threads} | ${formatFigure(gain)} | ${newTokens} | ${draftedTokens} | ${acceptedTokens} | ${sample.sameText ? 'yes' : '**no**'} |`
  })
  return `<!-- Written by \`npm run bench:docs\` from benchmarks.json; change the scripts in bench/, not this file. -->

# Benchmarks

SmolLM2-135M-Instruct, Q4_1, ${startedAt.slice(0, 10)}, \`npm run bench\`${mode === 'quick' ? ' `-- --quick`' : ''}. All in the browser run in one Chromium
${versions['chromium']}, in turns with each other and with native llama.cpp; figures are medians. How and with which
settings: [bench/README.md](../bench/README.md). Peers: wllama ${versions['wllama']}, node-llama-cpp
${versions['node-llama-cpp']}. Machine: ${machine.processor}, ${machine.cores} cores, ${machine.system}, load average at the start
${machine.loadAverage.map((value) => value.toFixed(2)).join(', ')}.

| | measured | wanted | met |
| --- | --- | --- | --- |
${figures.join('\n')}

${shown.map(({ path, title }) => `![${title}](${path})`).join('\n\n')}

## Speeds

| | engine | threads | tokens/s | range | runs | CPU-seconds for 1,000 tokens |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

## Loading

Milliseconds from the GGUF's bytes in a Blob, 1 thread.

| engine | loaded | first token after that | together |
| --- | --- | --- | --- |
${raw.loads.map((load) => `| ${load.engine} | ${load.loadMs.toFixed(0)} | ${load.firstTokenMs.toFixed(0)} | ${load.totalMs.toFixed(0)} |`).join('\n')}

## Memory

Renderer process, MiB.

| threads | weights | idle page | peak | after an answer | weights' multiple of the peak over idle |
| --- | --- | --- | --- | --- | --- |
${raw.memory.map((memory) => `| ${memory.threads} | ${mebibytes(memory.weightsBytes)} | ${mebibytes(memory.idleRssBytes)} | ${mebibytes(memory.peakRssBytes)} | ${mebibytes(memory.settledRssBytes)} | ${formatFigure((memory.peakRssBytes - memory.idleRssBytes) / memory.weightsBytes)} |`).join('\n')}

## Prompt lookup

Time to decode without, over the time with; the answers must be the same.

| prompt | threads | gain | tokens | proposed | accepted | same text |
| --- | --- | --- | --- | --- | --- | --- |
${lookups.join('\n')}

## Download

| file | bytes | brotli |
| --- | --- | --- |
${raw.bytes.map(({ file, bytes, brotliBytes }) => `| ${file} | ${bytes} | ${brotliBytes} |`).join('\n')}
`
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0)
}
