import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { loadReference } from '../src/backend/reference/load'
import { logSoftmax, topOf } from '../tests/conformance/agreement'
import { openSmolLm2, type OpenModel } from '../tests/conformance/model-files'
import { loadNative } from '../tests/conformance/native'
import {
  decodeRecording,
  encodeRecording,
  type RecordedCase,
  type Recording,
} from '../tests/conformance/recording'
import { prompts } from '../tests/fixtures/prompts'

/**
 * `tsx scripts/record-conformance.ts native` has native llama.cpp continue each prompt by 64 tokens, drawn at temperature
 * 0.8 so that not every step is certain, and records what it expects at each of them.
 * `tsx scripts/record-conformance.ts reference` has the reference backend do the same over the same tokens; minutes.
 * Both write to tests/conformance/recorded/.
 */

const forcedTokens = 64
const top = 32
const folder = fileURLToPath(new URL('../tests/conformance/recorded/', import.meta.url))

async function recordNative({ path, sha256 }: OpenModel): Promise<Recording> {
  const native = await loadNative(path)
  const cases: RecordedCase[] = []
  for (const [i, prompt] of prompts.entries()) {
    const start = native.tokenize(prompt)
    const forced = await native.continue(start, forcedTokens, { temperature: 0.8, seed: 1000 * (i + 1) })
    const tokens = [...start, ...forced]
    const firstStep = start.length - 1
    // The last token's own prediction is not asked for: 64 steps, each followed by the token that is forced.
    const rows = await native.logprobs(tokens.slice(0, -1), { from: firstStep })
    cases.push({ prompt, tokens, firstStep, steps: rows.map((row) => topOf(row, top)) })
    console.log(`${i + 1}/${prompts.length} ${JSON.stringify(native.detokenize(forced))}`)
  }
  await native.dispose()
  return { source: `llama.cpp by node-llama-cpp ${await nativeVersion()}, CPU`, model: sha256, cases }
}

async function recordReference({ model, bytes, sha256 }: OpenModel): Promise<Recording> {
  const forced = decodeRecording(await readFile(`${folder}smollm2-native.json`, 'utf8'))
  const backend = await loadReference({ model, bytes })
  const cases: RecordedCase[] = []
  for (const [i, { prompt, tokens, firstStep, steps }] of forced.cases.entries()) {
    const session = backend.createSession({ contextLength: tokens.length })
    const rows = await session.forward(tokens.slice(0, -1), { outputs: steps.length })
    session.dispose()
    cases.push({
      prompt,
      tokens,
      firstStep,
      steps: rows.map((row) => topOf(logSoftmax(row.values(), row.logSumExp), top)),
    })
    console.log(`${i + 1}/${forced.cases.length}`)
  }
  backend.dispose()
  return { source: 'src/backend/reference', model: sha256, cases }
}

async function nativeVersion(): Promise<string> {
  const path = fileURLToPath(new URL('../node_modules/node-llama-cpp/package.json', import.meta.url))
  const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string }
  return version
}

async function main(): Promise<void> {
  const [what] = process.argv.slice(2)
  if (what !== 'native' && what !== 'reference') {
    throw new Error(`Got ${what ?? 'no argument'}; say native or reference.`)
  }
  const opened = await openSmolLm2()
  const recording = what === 'native' ? await recordNative(opened) : await recordReference(opened)
  await writeFile(`${folder}smollm2-${what}.json`, encodeRecording(recording, top))
}

await main()
