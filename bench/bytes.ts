import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import type { BenchBrowser } from './browser'
import { startStaticServer } from './static-server'
import { agreeToDownload } from '../scripts/browse-site'

const compress = promisify(brotliCompress)
const SITE = join(import.meta.dirname, '..', 'dist', 'site')

export interface DownloadedFile {
  readonly file: string
  readonly bytes: number
  readonly brotliBytes: number
}

/**
 * JavaScript and WASM that the built page (`npm run build`) fetches from an empty cache until it answers. Without its service
 * worker, which fetches the rest of the page afterwards, in the background.
 */
export async function measureBytes(browser: BenchBrowser): Promise<DownloadedFile[]> {
  if (!existsSync(join(SITE, 'index.html')))
    throw new Error('There is no built page: run "npm run build" first')
  const served = new Set<string>()
  const server = await startStaticServer(new Map([['/', SITE]]), { onServed: (file) => served.add(file) })
  const context = await browser.newContext({ serviceWorkers: 'block' })
  await agreeToDownload(context)
  try {
    const page = await context.newPage()
    await page.goto(`${server.origin}/`)
    await page.fill('#question', 'Say hello.')
    await page.press('#question', 'Enter')
    await page.locator('.answer').getByText(/\w/).first().waitFor({ timeout: 60_000 })
  } finally {
    await context.close()
    await server.close()
  }
  const files = [...served].filter((file) => /\.(js|mjs|wasm)$/.test(file))
  return Promise.all(
    files.map(async (file) => {
      const content = readFileSync(file)
      const { length: brotliBytes } = await compress(content, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
      })
      return { file: relative(SITE, file), bytes: content.length, brotliBytes }
    }),
  )
}
