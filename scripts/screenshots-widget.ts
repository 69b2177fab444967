/**
 * Makes the pictures of the widget in `docs/images`, in examples/05-widget-html, after a build:
 * `tsx scripts/screenshots-widget.ts`
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { chromium, type Browser } from '@playwright/test'
import { findChromium } from './find-chromium'

const ROOT = join(import.meta.dirname, '..')

const SCREENS = {
  desktop: { width: 1100, height: 760 },
  phone: { width: 320, height: 640 },
} as const

async function takePictures(browser: Browser, address: string): Promise<void> {
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    for (const scheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ viewport, colorScheme: scheme, deviceScaleFactor: 1.5 })
      const page = await context.newPage()
      const take = (name: string) =>
        page.screenshot({ path: join(ROOT, `docs/images/widget-${name}-${screen}-${scheme}.png`) })
      await page.goto(address)
      await page.locator('minnow-chat [part=button]').waitFor()
      if (scheme === 'light') await take('closed')
      await page.locator('minnow-chat [part=button]').click()
      await page.getByLabel('Your question').fill('How long does a parcel to France take?')
      await page.keyboard.press('Enter')
      await page.locator('.turn[data-state=done]').waitFor({ timeout: 120_000 })
      await page.getByLabel('Your question').blur()
      await take('open')
      await context.close()
    }
  }
}

const server = spawn(process.execPath, ['--import', 'tsx', 'examples/05-widget-html/serve.ts'], { cwd: ROOT })
const { executablePath, args } = findChromium()
const browser = await chromium.launch({ executablePath, args: [...args] })
try {
  const [line] = (await once(server.stdout, 'data')) as [Buffer]
  await takePictures(browser, /http:\S+/.exec(line.toString())?.[0] ?? '')
} finally {
  await browser.close()
  server.kill()
}
