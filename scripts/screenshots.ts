/** Makes the pictures of the page in `docs/images`: `tsx scripts/screenshots.ts`, after a build. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from '@playwright/test'
import { sendQuestion, waitForTurn, withSite } from './browse-site'

const FOLDER = join(import.meta.dirname, '../docs/images')

const SCREENS = {
  desktop: { width: 1100, height: 760 },
  phone: { width: 320, height: 640 },
} as const

const QUESTIONS = ['What is the capital of France?', 'Why is the sky blue?']

async function takePictures(browser: Browser, origin: string): Promise<void> {
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    for (const scheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ viewport, colorScheme: scheme, deviceScaleFactor: 1.5 })
      const page = await context.newPage()
      await page.goto(origin)
      await page.locator('#figures dd').first().waitFor({ timeout: 120_000 })
      await page.screenshot({ path: join(FOLDER, `page-start-${screen}-${scheme}.png`) })
      for (const question of QUESTIONS) {
        await sendQuestion(page, question)
        await waitForTurn(page, ['done', 'cut'], 300_000)
      }
      await page.screenshot({ path: join(FOLDER, `page-${screen}-${scheme}.png`) })
      await context.close()
    }
  }
}

mkdirSync(FOLDER, { recursive: true })
await withSite(({ browser, origin }) => takePictures(browser, origin))
