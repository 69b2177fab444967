import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
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

const VITE = 'node_modules/vite/bin/vite.js'
const WIDGETS = {
  '05-widget-html': ['--import', 'tsx', 'examples/05-widget-html/serve.ts'],
  '06-widget-react': [VITE, 'examples/06-widget-react', '--port', '0'],
  '07-widget-vue': [VITE, 'examples/07-widget-vue', '--port', '0'],
}

for (const [name, args] of Object.entries(WIDGETS)) {
  test(`examples/${name} asks the widget and hears its answer`, async ({ page }) => {
    const server = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, NO_COLOR: '1' } })
    try {
      await page.goto(await addressOf(server.stdout))
      if (name === '05-widget-html') {
        await page.getByRole('button', { name: 'Ask about delivery' }).click()
        await page.getByLabel('Your question').fill('Where do you ship to?')
        await page.keyboard.press('Enter')
      } else await page.getByRole('button', { name: 'Where do you ship to?' }).click()
      const turn = page.locator('minnow-chat .turn')
      await expect(turn).toHaveAttribute('data-state', /done|cut/, { timeout: 60_000 })
      await expect(turn.locator('minnow-markdown')).toContainText('France')
      await expect(page.locator('[role=status]').first()).toContainText(/France|Answered with/)
    } finally {
      server.kill()
    }
  })
}

/** The first address that a server prints. */
async function addressOf(output: Readable): Promise<string> {
  let text = ''
  for await (const part of output) {
    text += String(part)
    const [address] = /http:\S+/.exec(text) ?? []
    if (address !== undefined) return address
  }
  throw new Error(`the server ended: ${text}`)
}
