import { join } from 'node:path'
import { expect, test as base, type Page } from '@playwright/test'
import { build } from 'vite'
import { serve } from '../../scripts/serve'

// The functions given to evaluate() run in the page: what they need comes as their argument.

const ROOT = join(import.meta.dirname, '../..')
const PAGE = join(ROOT, 'build/webgpu-trust-page')

const test = base.extend<{ trustPage: Page }, { origin: string }>({
  origin: [
    async ({}, use) => {
      await build({
        configFile: false,
        root: join(import.meta.dirname, 'webgpu-trust-page'),
        base: './',
        logLevel: 'warn',
        build: { outDir: PAGE, emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0 },
        worker: { format: 'es' },
      })
      const server = await serve({ mounts: { '/': PAGE, '/models/': join(ROOT, 'models') } })
      await use(server.origin)
      await server.close()
    },
    { scope: 'worker' },
  ],
  trustPage: async ({ page, origin }, use) => {
    await page.goto(origin)
    await page.waitForFunction(() => 'trust' in globalThis)
    await use(page)
  },
  // The software adapter, in the page and in workers.
  launchOptions: async ({ launchOptions }, use) => {
    await use({ ...launchOptions, args: [...(launchOptions.args ?? []), '--enable-unsafe-webgpu'] })
  },
})

test.setTimeout(240_000)

test('a KV cache that finds no room leaves its session as it was', async ({ trustPage }) => {
  const { refused, again, undisturbed } = await trustPage.evaluate(() => trust.growthWithoutRoom())
  expect(refused).toMatchObject({
    error: { code: 'out-of-memory', details: { sizeBytes: expect.any(Number) } },
  })
  expect(again).toEqual(undisturbed)
  expect(again[3]).toBe(270)
})

test('a model that finds no room is refused with the size', async ({ trustPage }) => {
  expect(await trustPage.evaluate(() => trust.loadWithoutRoom())).toMatchObject({
    error: { code: 'out-of-memory', message: expect.stringContaining('blk.1.ffn_down') },
  })
})

for (const call of ['prefill', 'decode', 'load'] as const) {
  test(`a device that goes during ${call} is reported by every call`, async ({ trustPage }) => {
    const outcomes = await trustPage.evaluate((name) => trust.destroyedDuring(name), call)
    const [first, ...others] = outcomes
    if (call === 'load') expect(first).toMatchObject({ error: { code: 'device-lost' } })
    else expect(first).toEqual({ value: 10, error: null })
    for (const other of others) expect(other).toMatchObject({ error: { code: 'device-lost' } })
  })
}

test('cycles of loading and disposing leave no buffer behind', async ({ trustPage }) => {
  expect(await trustPage.evaluate(() => trust.cycles(3))).toEqual([0, 0, 0])
})
