import { wrap, type Remote } from 'comlink'
import type { Judge } from './judge-worker'
import { type BenchSubject, type OpenSubject, subjects } from './subjects'
import { showPlots, showRows } from './results'
import type { SubjectResult } from './results'

const QUESTIONS = [
  'Explain in a few sentences why the sky is blue.',
  'Write a short story about a fish that learns to fly.',
  'List five things to pack for a week by the sea, with a reason for each.',
]

function element(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`The page lacks #${id}`)
  return found
}

const status = element('status')
const runButton = element('run') as HTMLButtonElement
const stopButton = element('stop') as HTMLButtonElement
const exportButton = element('export') as HTMLButtonElement
let controller: AbortController | null = null
let report: object | null = null

for (const subject of subjects) element('subjects').append(subjectRow(subject))
element('settings').addEventListener('submit', (event) => {
  event.preventDefault()
  void run()
})
stopButton.addEventListener('click', () => controller?.abort(new DOMException('Stopped.', 'AbortError')))
exportButton.addEventListener('click', save)

function subjectRow(subject: BenchSubject): HTMLElement {
  const missing = subject.missing()
  const label = document.createElement('label')
  label.className = 'subject'
  const box = document.createElement('input')
  box.type = 'checkbox'
  box.name = 'subject'
  box.value = subject.id
  box.checked = subject.isOurs && missing === null
  box.disabled = missing !== null
  const note = document.createElement('small')
  note.textContent = missing ?? subject.note
  label.append(box, subject.name, note)
  return label
}

async function run(): Promise<void> {
  const chosen = subjects.filter(({ id }) =>
    document.querySelector<HTMLInputElement>(`input[name=subject][value="${id}"]`)?.matches(':checked'),
  )
  if (chosen.length === 0) {
    status.textContent = 'Tick at least one engine.'
    return
  }
  const rounds = (element('rounds') as HTMLInputElement).valueAsNumber
  const maxTokens = (element('tokens') as HTMLInputElement).valueAsNumber
  controller = new AbortController()
  const { signal } = controller
  setRunning(true)
  const results: SubjectResult[] = chosen.map(({ id, name, isOurs }) => ({
    id,
    name,
    isOurs,
    description: '',
    failure: null,
    answers: [],
    agreement: null,
  }))
  try {
    await measure(chosen, results, { rounds, maxTokens, signal })
    status.textContent = 'Checking the answers.'
    await judge(results, signal)
    status.textContent = 'Done.'
  } catch (error) {
    status.textContent = signal.aborted ? 'Stopped.' : `Failed: ${wordsOf(error)}`
  } finally {
    report = {
      date: new Date().toISOString(),
      device: await describeDevice(),
      rounds,
      maxTokens,
      questions: QUESTIONS,
      results,
    }
    show(results)
    setRunning(false)
  }
}

/** By turns, so that a device that grows warm or busy does so for all. */
async function measure(
  chosen: readonly BenchSubject[],
  results: SubjectResult[],
  { rounds, maxTokens, signal }: { rounds: number; maxTokens: number; signal: AbortSignal },
): Promise<void> {
  const opened = new Map<SubjectResult, OpenSubject>()
  try {
    for (const [index, subject] of chosen.entries()) {
      const result = results[index]!
      status.textContent = `Loading ${subject.name}.`
      await guarded(result, signal, async () => {
        const started = performance.now()
        const open = await subject.open(signal)
        opened.set(result, open)
        result.description = open.description
        result.loadMs = performance.now() - started
        // Compilers and caches settle before anything counts.
        await open.answer('Say hello.', 4, signal)
      })
    }
    for (let round = 0; round < rounds; round++) {
      for (const [result, open] of opened) {
        if (result.failure !== null) continue
        status.textContent = `Round ${round + 1} of ${rounds}: ${result.name}.`
        const question = QUESTIONS[round % QUESTIONS.length]!
        await guarded(result, signal, async () => {
          result.answers.push({ question, ...(await open.answer(question, maxTokens, signal)) })
        })
        show(results)
      }
    }
  } finally {
    for (const open of opened.values()) await open.dispose().catch(() => undefined)
  }
}

/** What one engine can't do is said of it, and the others go on. */
async function guarded(result: SubjectResult, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  signal.throwIfAborted()
  try {
    await abortable(work(), signal)
  } catch (error) {
    signal.throwIfAborted()
    result.failure = wordsOf(error)
  }
}

/** Peers that know no signal are left to themselves. */
function abortable(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    work.then(resolve, reject)
  })
}

async function judge(results: readonly SubjectResult[], signal: AbortSignal): Promise<void> {
  const worker = new Worker(new URL('./judge-worker.ts', import.meta.url), { type: 'module' })
  const remote: Remote<Judge> = wrap<Judge>(worker)
  try {
    await remote.load(new URL('./models/smollm2-135m-instruct-q4_1/manifest.json', document.baseURI).href)
    for (const result of results) {
      let tokens = 0
      let agreed = 0
      for (const { question, text } of result.answers) {
        signal.throwIfAborted()
        const part = await remote.agreement(question, text)
        tokens += part.tokens
        agreed += part.agreed
      }
      result.agreement = tokens === 0 ? null : agreed / tokens
    }
  } finally {
    worker.terminate()
  }
}

function show(results: readonly SubjectResult[]): void {
  element('results').hidden = false
  showRows(element('rows'), results)
  showPlots(element('plots'), results)
  void describeDevice().then((device) => {
    element('device').textContent = Object.values(device).filter(Boolean).join(' · ')
  })
}

async function describeDevice(): Promise<Record<string, string>> {
  const { gpu } = navigator as { gpu?: GPU }
  const info = (await gpu?.requestAdapter().catch(() => null))?.info
  return {
    cores: `${navigator.hardwareConcurrency} cores`,
    isolation: crossOriginIsolated ? 'cross-origin isolated' : 'not isolated: one thread',
    gpu: info ? [info.vendor, info.architecture, info.description].filter(Boolean).join(' ') : 'no WebGPU',
    browser: navigator.userAgent,
  }
}

function setRunning(isRunning: boolean): void {
  runButton.disabled = isRunning
  stopButton.hidden = !isRunning
  exportButton.hidden = isRunning || report === null
}

function save(): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(report, null, 2)], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = 'minnow-benchmark.json'
  link.click()
  URL.revokeObjectURL(url)
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
