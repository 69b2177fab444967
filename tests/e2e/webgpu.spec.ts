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
