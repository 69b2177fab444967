/** Measures what a first answer downloads besides the model: `tsx scripts/measure-bytes.ts [--json]`, after a build. */
import { brotliCompressSync, constants } from 'node:zlib'
import { agreeToDownload, sendQuestion, waitForTurn, withSite } from './browse-site'

/** What the issue allows. */
export const BYTES_BUDGET = 150 * 1024

export interface MeasuredFile {
  /** Path within the site. */
  path: string
  sizeBytes: number
  /** Brotli, quality 11. */
  brotliBytes: number
}

export interface MeasuredBytes {
  files: MeasuredFile[]
  sizeBytes: number
  brotliBytes: number
  /** Of that, JavaScript and WebAssembly. */
  codeBrotliBytes: number
}

/** Everything the page requests until the first token is there, but for the model itself. */
export async function measureBytes(): Promise<MeasuredBytes> {
  const files = await withSite(async ({ origin, browser }) => {
    // The service worker fetches all files for later, after the page is usable.
    const context = await browser.newContext({ serviceWorkers: 'block' })
    await agreeToDownload(context)
    const urls = new Set<string>()
    context.on('request', (request) => {
      urls.add(request.url())
    })
    const page = await context.newPage()
    await page.goto(origin)
    await sendQuestion(page, 'What is the capital of France?')
    await waitForTurn(page, ['answering', 'done', 'cut'])
    return Promise.all([...urls].filter((url) => isCounted(url, origin)).map(measureFile))
  })
  files.sort((a, b) => b.brotliBytes - a.brotliBytes)
  return {
    files,
    sizeBytes: sum(files, ({ sizeBytes }) => sizeBytes),
    brotliBytes: sum(files, ({ brotliBytes }) => brotliBytes),
    codeBrotliBytes: sum(
      files.filter(({ path }) => /\.(js|wasm)$/.test(path)),
      ({ brotliBytes }) => brotliBytes,
    ),
  }
}

function isCounted(url: string, origin: string): boolean {
  const { protocol, origin: from, pathname } = new URL(url)
  if (protocol === 'blob:' || protocol === 'data:') return false
  if (from !== origin) throw new Error(`the page requested ${url}, which is not of its own origin`)
  return !pathname.startsWith('/models/')
}

async function measureFile(url: string): Promise<MeasuredFile> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} was answered with ${response.status}`)
  const bytes = new Uint8Array(await response.arrayBuffer())
  const compressed = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  })
  return { path: new URL(url).pathname, sizeBytes: bytes.length, brotliBytes: compressed.length }
}

function sum(files: readonly MeasuredFile[], value: (file: MeasuredFile) => number): number {
  return files.reduce((total, file) => total + value(file), 0)
}

function toTable({ files, sizeBytes, brotliBytes, codeBrotliBytes }: MeasuredBytes): string {
  const row = (path: string, size: number | string, brotli: number | string): string =>
    `${path.padEnd(44)}${String(size).padStart(12)}${String(brotli).padStart(12)}`
  return [
    row('file', 'bytes', 'brotli'),
    ...files.map((file) => row(file.path, file.sizeBytes, file.brotliBytes)),
    row('all', sizeBytes, brotliBytes),
    row('JavaScript and WebAssembly', '', codeBrotliBytes),
    row('budget', '', BYTES_BUDGET),
  ].join('\n')
}

if (process.argv[1] === import.meta.filename) {
  const measured = await measureBytes()
  console.log(process.argv.includes('--json') ? JSON.stringify(measured) : toTable(measured))
  if (measured.brotliBytes > BYTES_BUDGET) process.exitCode = 1
}
