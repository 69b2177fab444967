import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { serve } from '../../scripts/serve'

const ROOT = join(import.meta.dirname, '../..')
const KERNELS = join(ROOT, 'build/kernels')
const MODULES = readdirSync(KERNELS).filter((file) => file.endsWith('.wasm'))

test('there are kernels to try', () => {
  expect(MODULES).toContain('simd.wasm')
  expect(MODULES).toContain('simd-shared.wasm')
})

test.describe('in a page with our headers', () => {
  let server: Awaited<ReturnType<typeof serve>>

  test.beforeAll(async () => {
    server = await serve({ mounts: { '/': join(ROOT, 'dist/site'), '/kernels/': KERNELS } })
  })
  test.afterAll(() => server.close())

  test('memory can be shared', async ({ page }) => {
    await page.goto(server.origin)
    expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true)
    expect(await page.evaluate(() => new SharedArrayBuffer(8).byteLength)).toBe(8)
  })

  for (const name of MODULES) {
    test(`${name} compiles under the content security policy`, async ({ page }) => {
      await page.goto(server.origin)
      const exported = await page.evaluate(async (url) => {
        const module = await WebAssembly.compileStreaming(fetch(url))
        return WebAssembly.Module.exports(module).filter(({ kind }) => kind === 'function').length
      }, `${server.origin}/kernels/${name}`)
      expect(exported).toBeGreaterThan(0)
    })
  }
})
