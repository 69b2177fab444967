/** Makes the pictures of the page in `docs/images`: `tsx scripts/screenshots.ts`, after a build. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from '@playwright/test'
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

const GUIDE = `# Harbour Museum

The museum opens at ten in the morning and closes at six. On Mondays it is closed.

## Tickets

A ticket costs seven euros. Children under twelve pay nothing.

## Getting here

Bus 14 stops in front of the museum every twenty minutes.
`

type Take = (name: string) => Promise<unknown>

/** What a visitor meets before anything is downloaded, and after. */
async function takeFirstVisit(page: Page, take: Take): Promise<void> {
  await page.locator('#offer-button').waitFor()
  await take('first-visit')
  await page.locator('#offer-button').click()
  await page.locator('#estimate').getByText(/\d/).waitFor({ timeout: 120_000 })
  for (const question of QUESTIONS) {
    await sendQuestion(page, question)
    await waitForTurn(page, ['done', 'cut'], 300_000)
  }
  await take('conversation')
}

/** Without a network, after the service worker has kept the page. */
async function takeOffline(context: BrowserContext, page: Page, take: Take): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready)
  await context.setOffline(true)
  await page.reload()
  await page.getByText('offline', { exact: true }).waitFor()
  await sendQuestion(page, 'Name three rivers.')
  await waitForTurn(page, ['done', 'cut'], 300_000)
  await take('offline')
  await context.setOffline(false)
}

/** A document with the passage that an answer cites, the jobs, and the models on this device. */
async function takeDialogs(page: Page, take: Take): Promise<void> {
  await newConversation(page)
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Add documents' }).click()
  await (await chooser).setFiles({ name: 'museum.md', mimeType: '', buffer: Buffer.from(GUIDE) })
  await page.getByRole('button', { name: /^museum\.md/ }).waitFor({ timeout: 60_000 })
  await sendQuestion(page, 'How much does a ticket cost?')
  await waitForTurn(page, ['done', 'cut'], 300_000)
  await take('documents')
  await page.getByRole('button', { name: /^Source 1/ }).click()
  await page.getByRole('dialog', { name: /museum\.md/ }).waitFor()
  await take('passage')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Jobs', exact: true }).click()
  await page.getByRole('heading', { name: 'Jobs for a small model' }).waitFor()
  await take('jobs')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Models on this device' }).click()
  await page.getByRole('dialog', { name: 'Models on this device' }).waitFor()
  await page
    .getByText(/SmolLM2/)
    .first()
    .waitFor()
  await take('models')
  await page.keyboard.press('Escape')
}

/** Settings, consent, an answer's details and usage, in the order a visitor meets them. */
async function takeEscalation(page: Page, take: Take, baseUrl: string): Promise<void> {
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
  await newConversation(page)
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

async function newConversation(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'New conversation' }).click()
}

async function takePictures(browser: Browser, origin: string, baseUrl: string): Promise<void> {
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 1.5 })
      const page = await context.newPage()
      const take: Take = (name) =>
        page.screenshot({ path: join(FOLDER, `page-${name}-${screen}-${colorScheme}.png`) })
      await page.goto(origin)
      await takeFirstVisit(page, take)
      await takeOffline(context, page, take)
      await takeDialogs(page, take)
      await takeEscalation(page, take, baseUrl)
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
