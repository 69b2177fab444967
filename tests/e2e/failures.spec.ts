/** What fails is said in words, with the button that mends it. */
import { expect, test } from './site'

test('a model that is none leads to the models of this device', async ({ page }) => {
  await page.route('**/manifest.json', (route) => route.fulfill({ json: { no: 'manifest' } }))
  await page.goto('/')
  const alert = page.getByRole('alert')
  await expect(alert).toContainText('The model file is damaged or not a model.')
  // The engine's own words are there for those who ask.
  const detail = alert.locator('#failure-detail')
  await expect(detail).toBeHidden()
  await alert.getByText('Details').click()
  await expect(detail).toContainText('manifest')
  await alert.getByRole('button', { name: 'Models on this device' }).click()
  await expect(page.getByRole('dialog', { name: 'Models on this device' })).toBeVisible()
  await expect(alert).toBeHidden()
})

test('a question that is too long leads to a new conversation', async ({ page }) => {
  await page.goto('/')
  await page.getByLabel('Your question').fill('one two three four five six seven '.repeat(3000))
  await page.keyboard.press('Enter')
  const alert = page.getByRole('alert')
  await expect(alert).toContainText('longer than the model can read', { timeout: 60_000 })
  await alert.getByRole('button', { name: 'New conversation' }).click()
  await expect(page.locator('.turn')).toHaveCount(0)
  await expect(alert).toBeHidden()
})

test('where only the graphics card was wanted and there is none, the processor runs it', async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined })
    localStorage.setItem('minnow-backend', 'webgpu')
  })
  await page.goto('/')
  const alert = page.getByRole('alert')
  await expect(alert).toContainText('cannot run this model', { timeout: 60_000 })
  await alert.getByRole('button', { name: 'Run on the processor' }).click()
  await expect(page.locator('#figures')).toContainText('wasm', { timeout: 60_000 })
  await expect(page.locator('#backend')).toHaveValue('wasm')
  await expect(alert).toBeHidden()
})
