import { expect, test } from './site'

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
  await expect(reason).toHaveText(/^WebGPU on .*swiftshader.* was asked for\.$/i)
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
