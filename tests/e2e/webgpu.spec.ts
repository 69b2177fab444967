import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from './site'

const WLLAMA = join(import.meta.dirname, '../../node_modules/@wllama/wllama/esm')
const WLLAMA_URL = 'https://cdn.jsdelivr.net/npm/@wllama/wllama@3.8.1/esm'

// The software adapter, in the page and in workers: it proves results, not speed.
test.use({
  launchOptions: async ({ launchOptions }, use) => {
    await use({ ...launchOptions, args: [...(launchOptions.args ?? []), '--enable-unsafe-webgpu'] })
  },
})

test('the page answers on WebGPU where that is asked for, then on the processor', async ({ page }) => {
  test.setTimeout(300_000)
  await page.goto('/?backend=webgpu')
  const reason = page.locator('#backend-reason')
  await page.getByLabel('Your question').fill('What is the capital of France? Answer in one sentence.')
  await page.keyboard.press('Enter')
  const turn = page.locator('.turn').last()
  await expect(turn.locator('.answer [part=text]')).toContainText('Paris', { timeout: 240_000 })
  await expect(reason).toHaveText(
    /^WebGPU on .*swiftshader.* was asked for\. It passed the probe in \d+ ms\.$/i,
  )
  await page.keyboard.press('Escape')
  await expect(turn).toHaveAttribute('data-state', /stopped|done/)

  await page.getByRole('button', { name: 'Figures' }).click()
  await page.getByLabel('Runs on').selectOption('wasm')
  await expect(reason).toHaveText('WebAssembly was asked for.', { timeout: 60_000 })
  await expect(turn.locator('.answer [part=text]')).toContainText('Paris')
})

test('a software adapter is left alone where nobody asks for it, and the reason is told', async ({
  library,
}) => {
  const info = await library.evaluate(async () => {
    const engine = await minnow.createEngine({ threads: 1 })
    await engine.dispose()
    return engine.info
  })
  expect(info.backend).toBe('wasm')
  expect(info.backendReason).toMatch(/swiftshader.* is a software adapter, slower than WebAssembly\.$/i)
})

test('an answer goes on when the GPU process is killed, with weights from the store, and on the processor when it is killed again', async ({
  library,
}) => {
  test.setTimeout(300_000)
  const session = await library.context().browser()!.newBrowserCDPSession()
  await library.exposeFunction('crashGpu', () => session.send('Browser.crashGpuProcess'))
  const { undisturbed, disturbed } = await library.evaluate(async () => {
    const { crashGpu } = globalThis as unknown as { crashGpu(): Promise<void> }
    const answer = async (backend: 'webgpu' | 'wasm', crashAt: readonly number[]) => {
      const engine = await minnow.createEngine({ backend, threads: 1 })
      const stream = await engine.chat.completions.create({
        messages: [{ role: 'user', content: 'What is the capital of France? Answer in one sentence.' }],
        temperature: 0,
        max_tokens: 8,
        stream: true,
      })
      let text = ''
      let parts = 0
      for await (const chunk of stream) {
        const { content } = chunk.choices[0]?.delta ?? {}
        if (!content) continue
        text += content
        if (crashAt.includes(++parts)) await crashGpu()
      }
      const { backendReason } = engine.info
      await engine.dispose()
      return { text, reason: backendReason }
    }
    // The processor gives the same answer to this, and sooner than a software adapter.
    return { undisturbed: await answer('wasm', []), disturbed: await answer('webgpu', [1, 3]) }
  })
  expect(undisturbed.text).toContain('Paris')
  expect(disturbed.text).toBe(undisturbed.text)
  expect(disturbed.reason).toMatch(
    /^WebGPU on .* was asked for\. .* WebAssembly took over\. The GPU was lost/,
  )
})

test('the benchmark page measures both backends and a peer, and finds their answers right', async ({
  page,
  context,
  requestedOrigins,
}) => {
  test.setTimeout(300_000)
  // The peer's own files, of the version that the page asks for.
  await context.route(`${WLLAMA_URL}/**`, (route) =>
    route.fulfill({
      path: join(WLLAMA, new URL(route.request().url()).pathname.slice(new URL(WLLAMA_URL).pathname.length)),
      headers: { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' },
    }),
  )
  await page.goto('/bench.html')
  await expect(page.getByLabel('Minnow, WebGPU')).toBeChecked()
  await page.getByLabel('wllama').setChecked(true)
  await page.getByLabel('Rounds').fill('1')
  await page.getByLabel('New tokens').fill('4')
  await page.getByRole('button', { name: 'Run' }).click()
  await expect(page.getByRole('status')).toHaveText('Done.', { timeout: 240_000 })
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save as JSON' }).click(),
  ])
  const { results } = JSON.parse(await readFile(await download.path(), 'utf8')) as {
    results: { id: string; description: string; agreement: number; failure: string | null }[]
  }
  expect(results.map(({ id, failure }) => [id, failure])).toEqual([
    ['minnow-wasm', null],
    ['minnow-webgpu', null],
    ['wllama', null],
  ])
  expect(results[1]!.description).toMatch(/It passed the probe in \d+ ms\./)
  for (const { agreement } of results) expect(agreement).toBeGreaterThanOrEqual(0.75)
  expect(requestedOrigins.delete('https://cdn.jsdelivr.net')).toBe(true)
})
