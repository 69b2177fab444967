import { test as base } from '@playwright/test'
import { ModelSite } from './model-site'
import { expect, openLibrary } from './site'

const MODEL_BYTES = 98_362_432

const test = base.extend<{ models: ModelSite }>({
  models: async ({}, use) => {
    const site = await new ModelSite().start()
    await use(site)
    await site.stop()
  },
})

/** Loads the default model in the page and asks it something. */
async function ask(): Promise<string> {
  const engine = await minnow.createEngine({ threads: 1, backend: 'wasm' })
  const { choices } = await engine.chat.completions.create({
    messages: [{ role: 'user', content: 'What is the capital of France?' }],
    temperature: 0,
    max_tokens: 12,
  })
  await engine.dispose()
  return choices[0]!.message.content
}

test('a model is downloaded once; then it loads without any server', async ({ page, models }) => {
  await openLibrary(page, `${models.origin}/harness/`)
  expect(await page.evaluate(ask)).toContain('Paris')
  expect(models.sentBytes).toBe(MODEL_BYTES)
  const asked = models.requests.length
  expect(await page.evaluate(ask)).toContain('Paris')
  expect(models.requests).toHaveLength(asked)
})
