import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from '@playwright/test'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

test('examples/01-node answers in Node through the package name', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['examples/01-node/ask.mjs', 'What is the capital of France? Answer in one sentence.'],
    { cwd: ROOT },
  )
  expect(stdout).toMatch(/Paris/)
  expect(stdout).toMatch(/\d+ tokens, the first after \d+ ms, then \d+ a second, on wasm/)
})

test('examples/02-plain-page answers in a page without a bundler', async ({ page }) => {
  const server = spawn(process.execPath, ['--import', 'tsx', 'examples/02-plain-page/serve.ts'], {
    cwd: ROOT,
  })
  try {
    const [line] = (await once(server.stdout, 'data')) as [Buffer]
    const origin = /http:\S+/.exec(line.toString())?.[0]
    expect(origin).toBeDefined()
    await page.goto(origin!)
    await page.getByLabel('Question').fill('What is the capital of France?')
    await page.getByRole('button', { name: 'Ask' }).click()
    await expect(page.getByRole('status')).toHaveText('Done', { timeout: 60_000 })
    await expect(page.locator('#answer')).not.toBeEmpty()
  } finally {
    server.kill()
  }
})
