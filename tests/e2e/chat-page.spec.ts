/** The page as a visitor meets it: the first visit, conversations, branches, figures. */
import { readFileSync } from 'node:fs'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, test } from './site'

const CAPITAL = 'What is the capital of France? Answer in one sentence.'

function lastTurn(page: Page) {
  return page.locator('.turn').last()
}

function answer(page: Page) {
  return lastTurn(page).locator('.answer [part=text]')
}

async function ask(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Your question', exact: true }).fill(text)
  await page.keyboard.press('Enter')
}

async function settled(page: Page): Promise<void> {
  await expect(lastTurn(page)).toHaveAttribute('data-state', /done|cut/, { timeout: 60_000 })
}

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([])
}

test.describe('the first visit', () => {
  test.use({ agreed: false })

  test('names the download and waits for the visitor, who may ask meanwhile', async ({ page }) => {
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    await page.goto('/')
    const button = page.getByRole('button', { name: 'Download 98 MB' })
    await expect(button).toBeVisible()
    await expect(page.getByText('SmolLM2 135M Instruct, 98 MB. It stays on this device.')).toBeVisible()
    await ask(page, CAPITAL)
    await expect(lastTurn(page)).toContainText('Waits for the model')
    await expectAccessible(page)
    expect(asked.filter((path) => path.endsWith('.bin'))).toEqual([])

    await button.click()
    await expect(button).toBeHidden()
    await settled(page)
    await expect(answer(page)).toContainText('Paris')
    await expect(page.locator('#estimate')).toHaveText(
      /^About [\d.,]+ tokens a second here: some [\d.,]+ words\.$/,
    )

    const good = lastTurn(page).getByRole('button', { name: 'Good answer' })
    await good.click()
    await expect(good).toHaveAttribute('aria-pressed', 'true')

    // The next time it is there, and what was thought of the answer.
    await page.reload()
    await expect(page.locator('#estimate')).toHaveText(/tokens a second/, { timeout: 60_000 })
    await expect(button).toBeHidden()
    await expect(answer(page)).toContainText('Paris')
    await expect(good).toHaveAttribute('aria-pressed', 'true')
  })

  test('says beforehand, and after it, that there is no room to keep the model', async ({
    page,
    context,
    site,
  }) => {
    const session = await context.newCDPSession(page)
    await session.send('Storage.overrideQuotaForOrigin', { origin: site.origin, quotaSize: 20e6 })
    // The browser would tell it of a real disk; of this quota it tells nothing beforehand.
    await context.route('**/assets/worker-*.js', async (route) => {
      const response = await route.fetch()
      const estimate = 'StorageManager.prototype.estimate = async () => ({ usage: 1e6, quota: 20e6 });\n'
      await route.fulfill({ response, body: `${estimate}${await response.text()}` })
    })
    await page.goto('/')
    await expect(page.locator('#offer')).toContainText('There is no room to keep it here')
    await page.getByRole('button', { name: 'Download 98 MB' }).click()
    const notice = page.getByRole('status').filter({ hasText: 'There is no room to keep the model here' })
    await expect(notice).toBeVisible({ timeout: 60_000 })
    await expectAccessible(page)
    await notice.getByRole('button', { name: 'Models on this device' }).click()
    await expect(page.getByRole('dialog', { name: 'Models on this device' })).toBeVisible()
  })
})

test('a question is edited and answered again, and all versions stay', async ({ page }) => {
  await page.goto('/')
  await ask(page, CAPITAL)
  await settled(page)
  await page.getByRole('button', { name: 'Edit the question' }).click()
  const editor = page.getByRole('textbox', { name: 'Your question, changed' })
  await expect(editor).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('button', { name: 'Edit the question' })).toBeFocused()
  await page.keyboard.press('Enter')
  await editor.fill('What is the capital of Italy? Answer in one sentence.')
  await page.keyboard.press('Enter')
  await settled(page)
  await expect(answer(page)).toContainText('Rome')
  await expect(lastTurn(page)).toContainText('Version 2 of 2')
  await lastTurn(page).getByRole('button', { name: 'Answer again' }).click()
  await settled(page)
  await expect(lastTurn(page)).toContainText('Version 3 of 3')
  await lastTurn(page).getByRole('button', { name: 'Previous version' }).click()
  await expect(lastTurn(page)).toContainText('Version 2 of 3')
  await lastTurn(page).getByRole('button', { name: 'Previous version' }).click()
  await expect(answer(page)).toContainText('Paris')
  await expect(lastTurn(page).getByRole('button', { name: 'Previous version' })).toBeDisabled()
  await expectAccessible(page)

  await page.reload()
  await expect(answer(page)).toContainText('Paris')
  await expect(lastTurn(page)).toContainText('Version 1 of 3')

  // In a language that is read from right to left, what comes before lies to the right.
  const previous = lastTurn(page).getByRole('button', { name: 'Previous version' }).locator('svg')
  await expect(previous).toHaveCSS('scale', 'none')
  await page.evaluate(() => {
    document.documentElement.dir = 'rtl'
  })
  await expect(previous).toHaveCSS('scale', '-1 1')
})

test('an answer that was cut goes on; tinted words tell what else might have been', async ({ page }) => {
  await page.goto('/')
  await page.getByRole('button', { name: 'Adjust' }).click()
  const dialog = page.getByRole('dialog', { name: 'This conversation' })
  await dialog.getByLabel('Length of an answer').fill('8')
  await dialog.getByLabel('Chance').fill('0')
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('button', { name: 'Figures' }).click()
  await page.getByRole('checkbox', { name: /Tint words/ }).check()
  await ask(page, 'Write a story about a fish.')
  await settled(page)
  await expect(lastTurn(page)).toHaveAttribute('data-state', 'cut')
  const tokens = lastTurn(page).locator('.token')
  await expect(tokens).toHaveCount(8)
  await tokens.nth(2).hover()
  await expect(page.getByRole('tooltip')).toContainText('%')
  await tokens.first().focus()
  await page.keyboard.press('ArrowRight')
  await expect(tokens.nth(1)).toBeFocused()
  await expect(page.getByRole('tooltip').locator('li')).not.toHaveCount(0)
  await expectAccessible(page)
  const begun = (await tokens.allInnerTexts()).join('')
  await lastTurn(page).getByRole('button', { name: 'Go on' }).click()
  await settled(page)
  await expect(tokens).toHaveCount(16)
  await page.getByRole('checkbox', { name: /Tint words/ }).uncheck()
  await expect(answer(page)).toContainText(begun.trim())
  await expect(page.locator('#saving')).toContainText('16 tokens at 0.3 Wh')
})

test('conversations are found, renamed, exported, imported and deleted, and two tabs agree', async ({
  page,
  context,
}) => {
  await page.setViewportSize({ width: 1200, height: 800 })
  await page.goto('/')
  await ask(page, CAPITAL)
  await settled(page)
  const list = page.getByRole('complementary', { name: 'Conversations' })
  await expect(list.getByRole('button', { name: /^What is the capital/ })).toHaveAttribute(
    'aria-current',
    'true',
  )
  await page.getByRole('button', { name: 'New conversation' }).click()
  await expect(page.locator('.turn')).toHaveCount(0)
  await ask(page, 'Say hello.')
  await settled(page)

  const other = await context.newPage()
  await other.setViewportSize({ width: 320, height: 640 })
  await other.goto('/')
  await other.getByRole('button', { name: 'Conversations' }).click()
  const drawer = other.getByRole('dialog', { name: 'Conversations' })
  await drawer.getByRole('searchbox').fill('PARIS')
  await expect(drawer.getByRole('listitem')).toHaveCount(1)
  await expectAccessible(other)
  await drawer.getByRole('button', { name: /^What is the capital/ }).click()
  await expect(drawer).toBeHidden()
  await expect(answer(other)).toContainText('Paris')
  await other.getByRole('button', { name: 'Conversations' }).click()
  await drawer.getByRole('button', { name: /^More of “What/ }).click()
  await drawer.getByRole('button', { name: 'Rename' }).click()
  await drawer.getByRole('textbox', { name: 'New title' }).fill('Capitals')
  await other.keyboard.press('Enter')
  await expect(list.getByText('Capitals')).toBeVisible()

  const download = page.waitForEvent('download')
  await list.getByRole('button', { name: 'Export all' }).click()
  const file = await (await download).path()
  const { conversations } = JSON.parse(readFileSync(file, 'utf8')) as { conversations: { title: string }[] }
  expect(conversations.map(({ title }) => title).toSorted()).toEqual(['Capitals', 'Say hello.'])

  await list.getByRole('button', { name: 'Delete all' }).click()
  await list.getByRole('button', { name: 'Delete all for good' }).click()
  await expect(list).toContainText('Nothing has been asked yet.')
  await expect(page.locator('.turn')).toHaveCount(0)
  await expect(other.locator('.turn')).toHaveCount(0)
  await list.locator('input[type=file]').setInputFiles(file)
  await expect(list).toContainText('2 conversations were imported.')
  await list.getByRole('button', { name: /^Capitals/ }).click()
  await expect(answer(page)).toContainText('Paris')
})

test('speaks German where the browser does', async ({ browser, site }) => {
  const context = await browser.newContext({ locale: 'de-DE', viewport: { width: 1200, height: 800 } })
  const page = await context.newPage()
  await page.goto(site.origin)
  await expect(page.getByRole('button', { name: '98 MB herunterladen' })).toBeVisible()
  await expect(page.locator('html')).toHaveAttribute('lang', 'de')
  for (const name of ['Senden', 'Einstellungen', 'Anpassen', 'Messwerte']) {
    await expect(page.getByRole('button', { name })).toBeVisible()
  }
  await context.close()
})
