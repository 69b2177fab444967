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

test('says what is on the device: describes, lists, exports, deletes', async ({ page, models }) => {
  await openLibrary(page, `${models.origin}/harness/`)
  const before = await page.evaluate(async () => {
    const store = minnow.openModelStore()
    const description = await store.describe('/models/smollm2-135m-instruct-q4_1/manifest.json')
    return { description, list: await store.list(), room: await store.room() }
  })
  expect(before.description).toMatchObject({ sizeBytes: MODEL_BYTES, storedBytes: 0, isComplete: false })
  expect(before.list).toEqual([])
  expect(before.room).toMatchObject({ kind: 'opfs', modelBytes: 0 })
  expect(models.sentBytes).toBe(0)

  await page.evaluate(ask)
  const after = await page.evaluate(async () => {
    const store = minnow.openModelStore()
    const [model] = await store.list()
    const file = await store.export(model!.key)
    const start = new TextDecoder().decode(await file.slice(0, 4).arrayBuffer())
    const engine = await minnow.createEngine({ model: model!.url, threads: 1, backend: 'wasm' })
    await engine.dispose()
    await store.delete(model!.key)
    const list = await store.list()
    const gone = await minnow.createEngine({ model: model!.url }).catch((error: unknown) => error)
    store.dispose()
    return {
      model,
      file: { name: file.name, size: file.size, start },
      hash: engine.info.modelHash,
      list,
      gone: minnow.isEngineError(gone) ? gone.code : String(gone),
    }
  })
  expect(after.model).toMatchObject({
    name: 'SmolLM2 135M Instruct',
    sizeBytes: MODEL_BYTES,
    storedBytes: MODEL_BYTES,
    isComplete: true,
    state: 'proven',
    isImported: false,
    update: null,
  })
  expect(after.model!.lastUsedAt).toBeGreaterThanOrEqual(after.model!.addedAt)
  expect(after.file).toEqual({ name: 'SmolLM2-135M-Instruct.Q4_1.gguf', size: MODEL_BYTES, start: 'GGUF' })
  expect(after.hash).toBe(after.model!.sha256)
  expect(after.list).toEqual([])
  expect(after.gone).toBe('invalid-argument')
})
