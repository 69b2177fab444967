import { AxeBuilder } from '@axe-core/playwright'
import type { Locator, Page } from '@playwright/test'
import { expect, test } from './site'

// The page's own model is not to come meanwhile.
test.use({ agreed: false })

async function openDialog(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: 'Figures' }).click()
  await page.getByRole('button', { name: 'Models on this device' }).click()
  const dialog = page.getByRole('dialog', { name: 'Models on this device' })
  await expect(dialog).toBeVisible()
  return dialog
}

test('adds a model by its address, uses it, and deletes it after asking', async ({ page, site }) => {
  await page.goto('/')
  const dialog = await openDialog(page)
  await expect(dialog).toContainText('No model is kept here yet.')
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
  await model.getByRole('button', { name: /^Delete:/ }).click()
  await model.getByRole('button', { name: /^Delete for good/ }).click()
  await expect(dialog).toContainText('No model is kept here yet.')

  // Who deleted it is asked again.
  await page.reload()
  await expect(page.getByRole('button', { name: 'Download 98 MB' })).toBeVisible()
})
