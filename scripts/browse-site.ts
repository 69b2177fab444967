import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from '@playwright/test'
import { findChromium } from './find-chromium'
import { serve } from './serve'

/** The built page. */
export const SITE_FOLDER = join(import.meta.dirname, '../dist/site')

/** Serves the built page, starts a Chromium, and ends both after `run`. */
export async function withSite<Result>(
  run: (site: { origin: string; browser: Browser }) => Promise<Result>,
): Promise<Result> {
  const server = await serve({ mounts: { '/': SITE_FOLDER } })
  const { executablePath, args } = findChromium()
  const browser = await chromium.launch({ executablePath, args: [...args] })
  try {
    return await run({ origin: server.origin, browser })
  } finally {
    await browser.close()
    await server.close()
  }
}

/** As after a first visit: the page does not ask whether the model may be downloaded. */
export function agreeToDownload(context: BrowserContext): Promise<unknown> {
  return context.addInitScript(() => {
    try {
      localStorage.setItem('minnow-agreed', 'yes')
    } catch {
      // A frame without an origin of its own.
    }
  })
}

/** Types a question and sends it; its turn is there afterwards. */
export async function sendQuestion(page: Page, question: string): Promise<void> {
  const turns = await page.locator('.turn').count()
  await page.getByLabel('Your question').fill(question)
  await page.keyboard.press('Enter')
  await page.locator('.turn').nth(turns).waitFor()
}

/** Waits for a state of the newest turn; fails with the page's own words where it fails. */
export async function waitForTurn(page: Page, states: readonly string[], timeoutMs = 120_000): Promise<void> {
  const selector = [...states, 'failed'].map((state) => `.turn:last-child[data-state=${state}]`).join(', ')
  await page.locator(selector).last().waitFor({ timeout: timeoutMs })
  const failure = page.locator('#failure')
  if (await failure.isVisible()) throw new Error(`the page failed: ${await failure.textContent()}`)
}
