import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { chromium } from '@playwright/test'
import { findChromium } from '../scripts/find-chromium'
import { startStaticServer } from './static-server'

const SITE = join(import.meta.dirname, '..', 'dist', 'site')

export interface DownloadedFile {
  readonly file: string
  readonly bytes: number
  readonly brotliBytes: number
}

/** JavaScript and WASM that the built page (`npm run build`) fetches from an empty cache until an answer ends. */
export async function measureBytes(): Promise<DownloadedFile[]> {
  if (!existsSync(join(SITE, 'index.html')))
    throw new Error('There is no built page: run "npm run build" first')
  const served = new Set<string>()
  const server = await startStaticServer(new Map([['/', SITE]]), {
    onServed: (file) => served.add(file),
  })
  const { executablePath, args } = findChromium()
  const browser = await chromium.launch({ executablePath, args: [...args] })
  try {
    const page = await browser.newPage()
    await page.goto(`${server.origin}/`)
    await page.fill('#question', 'Say hello.')
    await page.press('#question', 'Enter')
    // The figures of an answer are shown when it has ended.
    await page
      .locator('#figures')
      .getByText(/tokens/)
      .first()
      .waitFor({ timeout: 60_000 })
  } finally {
    await browser.close()
    await server.close()
  }
  return [...served]
    .filter((file) => /\.(js|mjs|wasm)$/.test(file))
    .map((file) => {
      const content = readFileSync(file)
      const brotliBytes = brotliCompressSync(content, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
      }).length
      return { file: relative(SITE, file), bytes: content.length, brotliBytes }
    })
}
