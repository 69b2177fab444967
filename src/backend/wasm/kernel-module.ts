import { EngineError, isEngineError } from '../../contract/error'
import { isPassing, pauseBefore } from '../../contract/retry-pause'

/** Which build of the kernels: kernels/dot.ts says how they differ. */
export type Variant = 'simd' | 'relaxed16' | 'relaxed32'

/** What kernels/index.ts exports. Pointers are byte offsets into the memory. */
export interface Kernels {
  modelBytes(): number
  layerBytes(): number
  scratchBytes(): number
  cacheBytes(): number
  setThread(index: number, count: number): void
  serve(index: number, count: number): void
  pageTokens(): number
  pageBytes(model: number, codeBytes: number): number
  pageScaleBytes(model: number): number
  run(model: number, scratch: number, count: number, outputs: number): void
  matrixKind(type: number): number
  groupBytes(kind: number, columns: number): number
  repack(type: number, source: number, rows: number, columns: number, target: number, codes: number): void
  shiftLayer(
    model: number,
    cache: number,
    layer: number,
    from: number,
    to: number,
    count: number,
    rotation: number,
    work: number,
  ): void
}

/** Bundlers find the files by these expressions. */
const urls: Readonly<Record<`${Variant}${'' | '-shared'}` | 'probe', () => URL>> = {
  simd: () => new URL('../../../build/kernels/simd.wasm', import.meta.url),
  'simd-shared': () => new URL('../../../build/kernels/simd-shared.wasm', import.meta.url),
  relaxed16: () => new URL('../../../build/kernels/relaxed16.wasm', import.meta.url),
  'relaxed16-shared': () => new URL('../../../build/kernels/relaxed16-shared.wasm', import.meta.url),
  relaxed32: () => new URL('../../../build/kernels/relaxed32.wasm', import.meta.url),
  'relaxed32-shared': () => new URL('../../../build/kernels/relaxed32-shared.wasm', import.meta.url),
  probe: () => new URL('../../../build/kernels/probe.wasm', import.meta.url),
}

/** Fetches and compiles one build. */
export async function compileKernels(
  variant: Variant,
  shared: boolean,
  signal?: AbortSignal,
): Promise<WebAssembly.Module> {
  const name: keyof typeof urls = shared ? (`${variant}-shared` as const) : variant
  return compile(urls[name](), signal)
}

/**
 * The best build for this device. Whether 16-bit or 32-bit sums are faster depends on the CPU's instructions, which
 * a page can't ask for: two loops of a few milliseconds tell.
 * @throws EngineError 'unsupported' where there is no SIMD at all.
 */
export async function chooseVariant(signal?: AbortSignal): Promise<Variant> {
  const { relaxedSimd, simd } = await import('wasm-feature-detect')
  if (!(await simd())) {
    throw new EngineError(
      'unsupported',
      'This browser has no WebAssembly SIMD; update it to run models on the CPU.',
    )
  }
  if (!(await relaxedSimd())) return 'simd'
  const probe = await WebAssembly.instantiate(await compile(urls.probe(), signal))
  const { sum16, sum32 } = probe.exports as Record<'sum16' | 'sum32', (rounds: number) => number>
  // The first rounds run in the baseline compiler and start the optimising one: only the fastest counts, but every
  // one must be right (V8 11.3, behind a flag in Node 20, adds up sum32 wrongly).
  const forms: Form[] = [
    { variant: 'relaxed16', sum: sum16, bestMs: Infinity, isRight: true },
    { variant: 'relaxed32', sum: sum32, bestMs: Infinity, isRight: true },
  ]
  for (let round = 0; round < 8; round++) {
    for (const form of forms) form.bestMs = Math.min(form.bestMs, probeMs(form))
  }
  const right = forms.filter(({ isRight }) => isRight).toSorted((a, b) => a.bestMs - b.bestMs)
  return right[0]?.variant ?? 'simd'
}

/** One form of the dot product: how fast it was and whether every result was right. */
interface Form {
  readonly variant: Variant
  readonly sum: (rounds: number) => number
  bestMs: number
  isRight: boolean
}

const PROBE_ROUNDS = 100_000
/** kernels/probe.ts says why. */
const PROBE_RESULT = 16 * (400 * PROBE_ROUNDS + PROBE_ROUNDS / 2)

function probeMs(form: Form): number {
  const start = performance.now()
  if (form.sum(PROBE_ROUNDS) !== PROBE_RESULT) form.isRight = false
  return performance.now() - start
}

async function compile(url: URL, signal?: AbortSignal): Promise<WebAssembly.Module> {
  if (url.protocol === 'file:') {
    // Only in Node; bundlers for the page must leave it alone.
    const specifier = 'node:fs/promises'
    const { readFile } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier)) as {
      readFile(url: URL): Promise<Uint8Array<ArrayBuffer>>
    }
    return WebAssembly.compile(await readFile(url))
  }
  if (url.protocol === 'data:') {
    // Bundlers write small files into the code; fetch() of those needs a laxer content security policy.
    const base64 = url.href.slice(url.href.indexOf(',') + 1)
    return WebAssembly.compile(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)))
  }
  // Not compileStreaming: a host that serves .wasm under another type must work too.
  return WebAssembly.compile(await download(url, signal))
}

/** Tries again for as long as the model's download does: both come over the same network. */
async function download(url: URL, signal = new AbortController().signal): Promise<ArrayBuffer> {
  for (let failures = 0; ;) {
    try {
      const response = await fetch(url, { signal })
      if (response.ok) return await response.arrayBuffer()
      throw new EngineError(
        'network',
        `The kernels could not be fetched from ${url.href}: status ${response.status}.`,
        { details: { status: response.status } },
      )
    } catch (cause) {
      signal.throwIfAborted()
      const error = isEngineError(cause)
        ? cause
        : new EngineError('network', `The kernels could not be fetched from ${url.href}.`, { cause })
      if (!isPassing(error)) throw error
      await pauseBefore(++failures, error, signal)
    }
  }
}
