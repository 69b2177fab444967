import { AxeBuilder } from '@axe-core/playwright'
import type { JSHandle, Locator, Page } from '@playwright/test'
import { tinyModel } from '../fixtures/tiny-models'
import { RedirectingSite } from './redirecting-site'
import { expect, test } from './site'

// The page's own model is not to come meanwhile.
test.use({ agreed: false })

async function openDialog(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: 'Models on this device' }).click()
  const dialog = page.getByRole('dialog', { name: 'Models on this device' })
  await expect(dialog).toBeVisible()
  return dialog
}

test('adds a model by its address, uses it, and deletes it after asking', async ({ page, site }) => {
  await page.goto('/')
  const dialog = await openDialog(page)
  await expect(dialog).toContainText('No model is kept here yet.')
  await expect(dialog).toContainText('0 MB · Conversations with their documents')
  await expect(dialog.getByRole('button', { name: /Conversations/ })).toBeHidden()
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])

  const address = dialog.getByLabel('Or the address of a GGUF file')
  await address.fill('no address')
  await address.press('Enter')
  await expect(dialog.getByRole('alert')).toHaveText('This is not the address of a file.')
  await address.fill(`${site.origin}/faults/no-model.gguf`)
  await address.press('Enter')
  await expect(dialog.getByRole('alert')).toContainText('not a model')
  await expect(dialog).toContainText('No model is kept here yet.')

  await address.fill(`${site.origin}/faults/whole.gguf`)
  await dialog.getByRole('button', { name: 'Download' }).click()
  await expect(dialog.getByRole('status')).toContainText('is on this device now', { timeout: 60_000 })
  const model = dialog.getByRole('listitem')
  await expect(model).toHaveCount(1)
  await expect(model).toContainText('98 MB · Q4_1')
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])

  await model.getByRole('button', { name: /^Use/ }).click()
  await expect(dialog).toBeHidden()
  await page.getByLabel('Your question').fill('What is the capital of France?')
  await page.keyboard.press('Enter')
  await expect(page.getByText('Paris').first()).toBeVisible({ timeout: 60_000 })

  // As if the page's own model had been downloaded before.
  await page.evaluate(() => localStorage.setItem('minnow-agreed', 'yes'))
  await page.getByRole('button', { name: 'Models on this device' }).click()
  await expect(model).toContainText('in use')
  await expect(dialog).toContainText(/[1-9]\d* kB · Conversations with their documents/)
  await dialog.getByRole('button', { name: 'Delete: Conversations with their documents' }).click()
  await dialog.getByRole('button', { name: 'Delete for good: Conversations with their documents' }).click()
  await expect(dialog).toContainText('0 MB · Conversations with their documents')
  await expect(page.locator('minnow-conversations')).not.toContainText('France')
  await expect(page.locator('minnow-turn')).toHaveCount(0)
  await model.getByRole('button', { name: /^Delete:/ }).click()
  await model.getByRole('button', { name: /^Delete for good/ }).click()
  await expect(dialog).toContainText('No model is kept here yet.')

  // Who deleted it is asked again.
  await page.reload()
  await expect(page.getByRole('button', { name: 'Download 98 MB' })).toBeVisible()
})

test('follows a link to another origin that hides what it can', async ({ page, requestedOrigins }) => {
  const host = await new RedirectingSite(
    tinyModel({ architecture: 'llama', type: 'Q4_0', layers: 1 }),
  ).start()
  try {
    await page.goto('/')
    const dialog = await openDialog(page)
    await dialog.getByLabel('Or the address of a GGUF file').fill(host.url)
    await dialog.getByRole('button', { name: 'Download' }).click()
    await expect(dialog.getByRole('status')).toContainText('is on this device now')
    await expect(dialog.getByRole('listitem')).toHaveCount(1)
    expect(host.requests.slice(0, 2)).toEqual(['GET bytes=0-0', 'HEAD'])
    expect([...requestedOrigins]).toEqual(expect.arrayContaining(host.origins))
  } finally {
    for (const origin of host.origins) requestedOrigins.delete(origin)
    await host.stop()
  }
})

test('takes files that are dropped: models and documents on the page, models one after the other in the dialog', async ({
  page,
}) => {
  const [first, second] = [1, 2].map((layers) => tinyModel({ architecture: 'llama', type: 'Q4_0', layers }))
  await page.goto('/')
  const onPage = await filesOf(page, { 'notes.md': Buffer.from('# Notes'), 'first.gguf': first! })
  const veil = page.getByText('Drop text, Markdown, HTML or PDF files here')
  await page.dispatchEvent('body', 'dragover', { dataTransfer: onPage })
  await expect(veil).toBeVisible()
  await page.dispatchEvent('body', 'drop', { dataTransfer: onPage })
  await expect(veil).toBeHidden()
  const dialog = page.getByRole('dialog', { name: 'Models on this device' })
  await expect(dialog.getByRole('listitem')).toHaveCount(1)
  await expect(page.locator('minnow-documents')).toContainText('notes.md')

  // The second drop comes while the first is still taken.
  const inDialog = await filesOf(page, { 'broken.gguf': Buffer.from('no model'), 'second.gguf': second! })
  const again = await filesOf(page, { 'third.gguf': Buffer.from('nor this') })
  await dialog.dispatchEvent('drop', { dataTransfer: inDialog })
  await dialog.dispatchEvent('drop', { dataTransfer: again })
  await expect(dialog.getByRole('alert')).toHaveCount(2)
  await expect(dialog.getByRole('listitem')).toHaveCount(2)
  await expect(page.getByRole('progressbar')).toHaveCount(0)
})

/** What is being dragged. */
function filesOf(page: Page, files: Record<string, Uint8Array>): Promise<JSHandle<DataTransfer>> {
  const given = Object.entries(files).map(([name, bytes]) => ({
    name,
    base64: Buffer.from(bytes).toString('base64'),
  }))
  return page.evaluateHandle((each) => {
    const dragged = new DataTransfer()
    for (const { name, base64 } of each) {
      const bytes = Uint8Array.from(atob(base64), (byte) => byte.codePointAt(0)!)
      dragged.items.add(new File([bytes], name))
    }
    return dragged
  }, given)
}
