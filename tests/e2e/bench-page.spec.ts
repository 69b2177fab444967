import { readFile } from 'node:fs/promises'
import { expect, test } from './site'

interface Report {
  results: { id: string; answers: { newTokens: number }[]; agreement: number; failure: string | null }[]
}

test('the benchmark page measures, checks and saves, and asks no other host', async ({ page }) => {
  await page.goto('/bench.html')
  // Of our own engines WebAssembly runs everywhere.
  await page.getByLabel('Minnow, WebGPU').setChecked(false)
  await expect(page.getByLabel('Minnow, WebAssembly')).toBeChecked()
  for (const peer of ['wllama', 'transformers.js, WebAssembly', 'WebLLM']) {
    await expect(page.getByLabel(peer, { exact: false }).first()).not.toBeChecked()
  }
  await page.getByLabel('Rounds').fill('2')
  await page.getByLabel('New tokens').fill('12')
  await page.getByRole('button', { name: 'Run' }).click()
  await expect(page.getByRole('status')).toHaveText('Done.', { timeout: 90_000 })
  const row = page.locator('tr[data-subject="minnow-wasm"]')
  await expect(row.locator('td')).toHaveText([/^\d+$/, /^\d+\.\d$/, /^\d+\.\d$/, '1.00 ×', '100.0 %'])
  await expect(page.locator('.bar.ours')).toHaveCount(1)

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save as JSON' }).click(),
  ])
  const report = JSON.parse(await readFile(await download.path(), 'utf8')) as Report
  expect(report.results.map(({ id }) => id)).toEqual(['minnow-wasm'])
  expect(report.results[0]!.answers.map(({ newTokens }) => newTokens)).toEqual([12, 12])
  expect(report.results[0]!.agreement).toBe(1)
})

test('the benchmark page says what failed and goes on, and stops when told', async ({
  page,
  context,
  requestedOrigins,
}) => {
  await context.route('https://cdn.jsdelivr.net/**', (route) => route.abort())
  await page.goto('/bench.html')
  await page.getByLabel('Minnow, WebGPU').setChecked(false)
  await page.getByLabel('wllama').setChecked(true)
  await page.getByLabel('Rounds').fill('1')
  await page.getByLabel('New tokens').fill('4')
  await page.getByRole('button', { name: 'Run' }).click()
  await expect(page.getByRole('status')).toHaveText('Done.', { timeout: 90_000 })
  await expect(page.locator('tr[data-subject="wllama"] .failed')).not.toBeEmpty()
  await expect(page.locator('tr[data-subject="minnow-wasm"]')).toContainText('1.00 ×')

  await page.getByLabel('wllama').setChecked(false)
  await page.getByLabel('Rounds').fill('20')
  await page.getByLabel('New tokens').fill('512')
  await page.getByRole('button', { name: 'Run' }).click()
  await expect(page.getByRole('status')).toContainText('Round 1', { timeout: 60_000 })
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(page.getByRole('status')).toHaveText('Stopped.')
  await expect(page.getByRole('button', { name: 'Run' })).toBeEnabled()
  // A ticked peer is asked of its host, and of no other.
  expect(requestedOrigins.delete('https://cdn.jsdelivr.net')).toBe(true)
})
