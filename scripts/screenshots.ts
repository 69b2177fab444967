/** Makes the pictures of the page in `docs/images`: `tsx scripts/screenshots.ts`, after a build. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from '@playwright/test'
import { scriptedAnswer } from '../tests/remote-server/answers'
import { startRemoteServer } from '../tests/remote-server/server'
import { sendQuestion, waitForTurn, withSite } from './browse-site'

const FOLDER = join(import.meta.dirname, '../docs/images')

const SCREENS = {
  desktop: { width: 1100, height: 760 },
  phone: { width: 320, height: 640 },
} as const

const QUESTIONS = ['What is the capital of France?', 'Why is the sky blue?']

/** What the bigger model of the pictures is called, and says: there is none, a script answers. */
const BIGGER = { model: 'bigger-model', answer: 'Paris.' }
const PERSONAL_QUESTION = 'Which city is the capital of France? Answer in one word, to visitor@example.org.'

/** Settings, consent, an answer's details and usage, in the order a visitor meets them. */
async function takeEscalationPictures(page: Page, suffix: string, baseUrl: string): Promise<void> {
  const take = (name: string) => page.screenshot({ path: join(FOLDER, `page-${name}-${suffix}.png`) })
  await page.getByRole('button', { name: 'Settings' }).click()
  const settings = page.getByRole('dialog', { name: 'Settings' })
  await settings.waitFor()
  await take('settings')
  await settings.getByRole('combobox', { name: 'Address', exact: true }).fill(baseUrl)
  await settings.getByRole('combobox', { name: 'Model', exact: true }).fill(BIGGER.model)
  await settings.getByLabel('Price of a million tokens read').fill('0.1')
  await settings.getByLabel('Price of a million tokens written').fill('0.3')
  // The device's own answer is shown first.
  await settings.getByText('The policy as JSON').first().click()
  await settings.getByRole('textbox', { name: 'The policy as JSON' }).fill('{ "accept": 0 }')
  await settings.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('button', { name: 'New conversation' }).click()
  await sendQuestion(page, PERSONAL_QUESTION)
  await waitForTurn(page, ['done', 'cut'], 300_000)
  await page.getByRole('button', { name: 'Good answer' }).click()
  await page.getByRole('button', { name: 'Ask the bigger model' }).click()
  await page.getByRole('button', { name: 'Send once' }).waitFor()
  await take('consent')
  await page.getByRole('button', { name: 'Send once' }).click()
  await page.getByRole('button', { name: `answered by ${BIGGER.model}` }).click()
  await page.getByRole('heading', { name: 'What was sent' }).waitFor()
  // The ledger is looked up.
  await page.getByText(/in all;/).waitFor()
  await take('details')
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('button', { name: 'Usage and costs' }).click()
  await page.getByRole('dialog', { name: 'Usage and costs' }).waitFor()
  await take('usage')
}

async function takePictures(browser: Browser, origin: string, baseUrl: string): Promise<void> {
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
      await takeEscalationPictures(page, `${screen}-${scheme}`, baseUrl)
      await context.close()
    }
  }
}

mkdirSync(FOLDER, { recursive: true })
const remote = await startRemoteServer({ answer: scriptedAnswer(BIGGER.answer), model: BIGGER.model })
try {
  await withSite(({ browser, origin }) => takePictures(browser, origin, remote.baseUrl))
} finally {
  await remote.close()
}
