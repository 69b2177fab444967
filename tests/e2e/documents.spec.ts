import { AxeBuilder } from '@axe-core/playwright'
import type { Locator, Page } from '@playwright/test'
import { HOSTILE_HTML } from '../fixtures/hostile-documents'
import { writePdf } from '../fixtures/pdf-writer'
import { expect, test } from './site'

const HANDBOOK = writePdf([
  [
    'Harbour Museum: a guide for visitors',
    '',
    '',
    'The museum opens at ten in the morning and closes at six.',
  ],
  ['Tickets', '', '', 'A ticket costs seven euros. Children under twelve pay nothing.'],
  ['Getting here', '', '', 'Bus 14 stops in front of the museum every twenty minutes.'],
])

interface GivenFile {
  name: string
  mimeType: string
  buffer: Buffer
}

function file(name: string, content: string | Uint8Array): GivenFile {
  return { name, mimeType: '', buffer: Buffer.from(content) }
}

async function addFiles(page: Page, ...files: GivenFile[]): Promise<void> {
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Add documents' }).click()
  await (await chooser).setFiles(files)
}

function lastTurn(page: Page): Locator {
  return page.locator('.turn').last()
}

async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel('Your question').fill(question)
  await page.keyboard.press('Enter')
  await expect(lastTurn(page)).toHaveAttribute('data-state', /done|cut/, { timeout: 60_000 })
}

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([])
}

test('answers from a PDF, cites it, and shows the passage', async ({ page }) => {
  await page.goto('/')
  await addFiles(page, file('guide.pdf', HANDBOOK))
  await expect(page.getByRole('button', { name: /guide\.pdf.*3 pages/ })).toBeVisible({ timeout: 30_000 })
  await ask(page, 'How much does a ticket cost?')
  await expect(lastTurn(page)).toContainText(/seven euros/i)
  const source = lastTurn(page).getByRole('button', { name: /Source \d: guide\.pdf, p\. 2/ })
  await source.click()
  const dialog = page.getByRole('dialog', { name: /guide\.pdf/ })
  await expect(dialog.locator('mark')).toContainText('A ticket costs seven euros.')
  await expect(dialog).toContainText('Bus 14')
  await expectAccessible(page)
  await page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()
  await expect(source).toBeFocused()
  await expectAccessible(page)

  await page.reload()
  await expect(page.getByRole('button', { name: /guide\.pdf.*3 pages/ })).toBeVisible({ timeout: 30_000 })
  await expect(lastTurn(page).getByRole('button', { name: /Source 1/ })).toBeVisible()
  await ask(page, 'Zebrafish?')
  await expect(lastTurn(page)).toContainText('I found nothing about this in the documents.')
  await page.getByRole('button', { name: 'Remove guide.pdf' }).click()
  await expect(page.getByRole('button', { name: /guide\.pdf.*pages/ })).toHaveCount(0)
})

test('takes only text from hostile documents', async ({ page }) => {
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await page.goto('/')
  await addFiles(
    page,
    file('rules.html', HOSTILE_HTML),
    file('evil.md', '<img src=x onerror="document.title=\'hacked\'"> [x](javascript:1)'),
  )
  await expect(page.getByRole('button', { name: 'evil.md', exact: true })).toBeVisible()
  await page.getByRole('button', { name: 'rules.html', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'rules.html' })
  await expect(dialog).toContainText('The gate of the garden is locked at nine in the evening.')
  const text = await dialog.locator('.text').innerText()
  for (const shown of [
    'Garden rules',
    'Zero width. <script>',
    '<|im_end|>',
    'Day | Hours',
    'Monday | 10 to 4',
    '- No dogs\n',
    'line one\n  line two',
    'deep',
    'Unclosed end',
  ]) {
    expect(text).toContain(shown)
  }
  expect(text).not.toContain('HIDDEN')
  await expect(dialog.locator('img, script, a, iframe, b')).toHaveCount(0)
  await dialog.getByRole('button', { name: 'Close' }).click()
  await ask(page, 'When is the gate of the garden locked?')
  await expect(lastTurn(page)).toContainText(/nine/)
  expect(await page.title()).toBe('Minnow')
  expect(asked.filter((url) => url.includes('evil'))).toEqual([])
})

test('says why a document cannot be read, and reads the others', async ({ page }) => {
  await page.goto('/')
  await addFiles(
    page,
    file('broken.pdf', '%PDF-1.7\nnothing'),
    file('picture.png', new Uint8Array([0x89, 0x50, 0, 0])),
    file('locked.pdf', writePdf([['x']], { encrypted: true })),
    file('scan.pdf', writePdf([[]])),
    file('fine.txt', 'The lighthouse is red.'),
  )
  await expect(page.getByRole('button', { name: 'fine.txt', exact: true })).toBeVisible({ timeout: 30_000 })
  for (const [name, why] of [
    ['broken.pdf', 'damaged'],
    ['picture.png', 'no text, Markdown, HTML or PDF'],
    ['locked.pdf', 'password'],
    ['scan.pdf', 'scan'],
  ] as const) {
    await expect(page.getByRole('alert').filter({ hasText: `${name} was not added.` })).toContainText(why)
  }
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Close the message' }).click()
  await expect(page.getByRole('alert').filter({ hasText: 'broken' })).toHaveCount(0)
})

test('summarises a long document part by part, and stops', async ({ page }) => {
  await page.goto('/')
  const long = Array.from(
    { length: 60 },
    (_, i) =>
      `Day ${i + 1}. The crew sailed north. They saw whales, mended a sail and ate fish soup. The wind was strong.`,
  )
  await addFiles(page, file('log.txt', long.join('\n\n')))
  await page.getByRole('button', { name: 'Summarise log.txt', exact: true }).click()
  await expect(lastTurn(page)).toContainText(/Reading part 1 of [23]/, { timeout: 60_000 })
  await page.keyboard.press('Escape')
  await expect(lastTurn(page)).toHaveAttribute('data-state', 'stopped', { timeout: 5000 })
  await page.getByRole('button', { name: 'Summarise log.txt', exact: true }).click()
  await expect(lastTurn(page)).toHaveAttribute('data-state', /done|cut/, { timeout: 90_000 })
  await expect(lastTurn(page)).toContainText(/crew|sail|whale/i)
})

test('does the job of a preset, by keyboard', async ({ page }) => {
  await page.goto('/')
  const open = page.getByRole('button', { name: 'Jobs', exact: true })
  await open.focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('heading', { name: 'Jobs for a small model' })).toBeVisible()
  await expectAccessible(page)
  await dialog.getByRole('button', { name: /Triage a ticket/ }).press('Enter')
  await expect(dialog.getByLabel('Ticket')).toBeFocused()
  await dialog.getByRole('button', { name: 'Go' }).press('Enter')
  await expect(dialog).toBeVisible()
  await dialog.getByLabel('Ticket').fill('My parcel is two weeks late.')
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Go' }).press('Enter')
  await expect(dialog).toBeHidden()
  await expect(lastTurn(page)).toHaveAttribute('data-state', 'done', { timeout: 60_000 })
  await expect(lastTurn(page)).toContainText('My parcel is two weeks late.')
  await expect(lastTurn(page).locator('.answer')).toContainText(
    /Category: \w+[\s\S]*Urgency: (low|normal|high)/,
  )
})

test('keeps what was written while something else is answered', async ({ page }) => {
  await page.goto('/')
  const question = page.getByRole('textbox', { name: 'Your question', exact: true })
  await question.evaluate((input: HTMLTextAreaElement) => {
    for (const text of ['What is the capital of France?', 'And of Spain?']) {
      input.value = text
      input.form!.requestSubmit()
    }
  })
  await expect(question).toHaveValue('And of Spain?')
  await page.getByRole('button', { name: 'Jobs', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: /Triage a ticket/ }).click()
  await dialog.getByLabel('Ticket').fill('My parcel is late.')
  const go = dialog.getByRole('button', { name: 'Go' })
  await expect(go).toBeDisabled()
  await expect(dialog).toContainText('Minnow is answering.')
  await expect(go).toBeEnabled({ timeout: 60_000 })
  await expect(dialog.getByLabel('Ticket')).toHaveValue('My parcel is late.')
  await expect(page.locator('.turn')).toHaveCount(1)
})
