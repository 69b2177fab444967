import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, type BrowserContext, type Page } from '@playwright/test'
import { ModelSite } from './model-site'
import { expect, openLibrary } from './site'

const MODEL_BYTES = 98_362_432
const CHUNK_BYTES = 8 * 2 ** 20
const PIECE_BYTES = 2 ** 20
const MANIFEST = '/models/smollm2-135m-instruct-q4_1/manifest.json'

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
  const before = await page.evaluate(async (url) => {
    const store = minnow.openModelStore()
    const description = await store.describe(url)
    return { description, list: await store.list(), room: await store.room() }
  }, MANIFEST)
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

async function open(context: BrowserContext, models: ModelSite): Promise<Page> {
  const page = await context.newPage()
  await openLibrary(page, `${models.origin}/harness/`)
  return page
}

/** Bytes of chunks that these requests ask for, of which none asks for a chunk that another one asks for. */
function askedBytes(requests: readonly string[]): number {
  const { chunks } = JSON.parse(readFileSync(join(import.meta.dirname, '../..', MANIFEST), 'utf8')) as {
    chunks: { file: string; sizeBytes: number }[]
  }
  const files = requests.map((request) => request.split(' ')[0])
  expect(new Set(files).size).toBe(files.length)
  return requests.reduce((sum, request) => {
    const [, from, to] = / bytes=(\d+)-(\d+)$/.exec(request) ?? []
    const whole = chunks.find(({ file }) => request.startsWith(file))!.sizeBytes
    return sum + (from === undefined ? whole : Number(to) - Number(from) + 1)
  }, 0)
}

/** Lets a page load until so many bytes were sent, and gives what it will answer. */
async function loadUntil(page: Page, models: ModelSite, bytes: number): Promise<{ answer: Promise<string> }> {
  models.pauseMs = 4
  const answer = page.evaluate(ask)
  answer.catch(() => undefined)
  await expect.poll(() => models.sentBytes, { intervals: [20] }).toBeGreaterThan(bytes)
  return { answer }
}

test('goes on where it was when the server is killed and started again', async ({ context, models }) => {
  const page = await open(context, models)
  const { answer } = await loadUntil(page, models, 3.5 * CHUNK_BYTES)
  await models.stop()
  const before = models.requests.length
  models.pauseMs = 0
  await new Promise((resolve) => setTimeout(resolve, 1000))
  await models.start()
  expect(await answer).toContain('Paris')
  // All that had arrived is not asked for again, down to the piece.
  const held = MODEL_BYTES - askedBytes(models.requests.slice(before))
  expect(held).toBeGreaterThan(2 * CHUNK_BYTES)
  expect(held % PIECE_BYTES).toBe(0)
})

test('goes on where it was when the tab is closed', async ({ context, models }) => {
  const page = await open(context, models)
  await loadUntil(page, models, 3.5 * CHUNK_BYTES)
  await page.close()
  models.pauseMs = 0
  const next = await open(context, models)
  const partial = await next.evaluate(async () => (await minnow.openModelStore().list())[0])
  expect(partial).toMatchObject({ isComplete: false, state: 'untried' })
  expect(partial!.storedBytes).toBeGreaterThan(2 * CHUNK_BYTES)
  expect(partial!.storedBytes % PIECE_BYTES).toBe(0)
  const before = models.requests.length
  expect(await next.evaluate(ask)).toContain('Paris')
  expect(askedBytes(models.requests.slice(before))).toBe(MODEL_BYTES - partial!.storedBytes)
})

test('two tabs at once download once, and both show it', async ({ context, models }) => {
  const pages = [await open(context, models), await open(context, models)]
  models.pauseMs = 2
  const outcomes = await Promise.all(
    pages.map((page) =>
      page.evaluate(async () => {
        const fractions: number[] = []
        const engine = await minnow.createEngine({
          threads: 1,
          backend: 'wasm',
          onProgress: ({ fraction }) => fractions.push(fraction),
        })
        await engine.dispose()
        return { fractions, hash: engine.info.modelHash }
      }),
    ),
  )
  expect(models.sentBytes).toBe(MODEL_BYTES)
  for (const { fractions } of outcomes) {
    expect(fractions.length).toBeGreaterThan(5)
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b))
    expect(fractions.at(-1)).toBe(1)
  }
})

test('mends a damaged chunk: of the server, and on the device', async ({ context, models }) => {
  const page = await open(context, models)
  const { chunks } = JSON.parse(readFileSync(join(import.meta.dirname, '../..', MANIFEST), 'utf8')) as {
    chunks: { file: string }[]
  }
  const file = chunks[2]!.file
  models.fault = { file, kind: 'damage' }
  const code = await page.evaluate(async () => {
    const failure = await minnow.createEngine({ threads: 1 }).catch((error: unknown) => error)
    return minnow.isEngineError(failure) ? failure.code : String(failure)
  })
  expect(code).toBe('integrity')
  models.fault = null
  const before = models.requests.length
  expect(await page.evaluate(ask)).toContain('Paris')
  // The first two chunks were right, and stayed.
  expect(models.requests.slice(before).map((request) => request.slice(0, 8))).toEqual(
    chunks.slice(2).map((chunk) => chunk.file.slice(0, 8)),
  )

  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory()
    const folder = await root.getDirectoryHandle('minnow-models')
    for await (const [name] of (folder as unknown as { entries(): AsyncIterable<[string]> }).entries()) {
      const model = await (await folder.getDirectoryHandle(name)).getFileHandle('model.gguf')
      const writable = await model.createWritable({ keepExistingData: true })
      await writable.write({ type: 'write', position: 21 * 2 ** 20 + 5, data: new Uint8Array([1, 2, 3, 4]) })
      await writable.close()
    }
  })
  const sent = models.sentBytes
  expect(await page.evaluate(ask)).toContain('Paris')
  expect(models.sentBytes - sent).toBe(PIECE_BYTES)
  expect(models.requests.at(-1)).toBe(`${file} bytes=${5 * PIECE_BYTES}-${6 * PIECE_BYTES - 1}`)
})

test('without room the model is used and not kept', async ({ context, models }) => {
  const page = await open(context, models)
  const session = await context.newCDPSession(page)
  await session.send('Storage.overrideQuotaForOrigin', { origin: models.origin, quotaSize: 20e6 })
  const outcome = await page.evaluate(async () => {
    const told: (string | undefined)[] = []
    const engine = await minnow.createEngine({
      threads: 1,
      backend: 'wasm',
      onProgress: ({ notKept }) => told.push(notKept?.code),
    })
    const { notKept } = engine.info
    await engine.dispose()
    const store = minnow.openModelStore()
    return { notKept, last: told.at(-1), list: await store.list() }
  })
  expect(outcome).toMatchObject({ last: 'storage-full', list: [] })
  expect(outcome.notKept).toMatchObject({ code: 'storage-full', details: { wantedBytes: MODEL_BYTES } })
  // The chunk in which the room ended was asked for again.
  expect(models.sentBytes - MODEL_BYTES).toBeLessThanOrEqual(CHUNK_BYTES)
})

test('keeps models in IndexedDB where there is no OPFS', async ({ context, models }) => {
  await context.route('**/dist/worker.js', async (route) => {
    const response = await route.fetch()
    const body = `delete FileSystemFileHandle.prototype.createSyncAccessHandle;\n${await response.text()}`
    await route.fulfill({ response, body })
  })
  const page = await open(context, models)
  expect(await page.evaluate(ask)).toContain('Paris')
  expect(models.sentBytes).toBe(MODEL_BYTES)
  expect(await page.evaluate(ask)).toContain('Paris')
  expect(models.sentBytes).toBe(MODEL_BYTES)
  const room = await page.evaluate(async () => minnow.openModelStore().room())
  expect(room).toMatchObject({ kind: 'indexed-db', modelBytes: MODEL_BYTES })
})

test('a new version comes beside the old one and replaces it when it has loaded', async ({
  context,
  models,
}) => {
  const page = await open(context, models)
  await page.evaluate(ask)
  // The same bytes by another name: what tells versions apart is the hash of the whole.
  const old = readFileSync(join(import.meta.dirname, '../..', MANIFEST), 'utf8')
  const sha256 = 'ab'.repeat(32)
  models.manifest = JSON.stringify({ ...(JSON.parse(old) as object), name: 'Newer', sha256 })
  const seen = await page.evaluate(async () => {
    const store = minnow.openModelStore()
    const [model] = await store.list()
    const found = await store.checkForUpdate(model!.key)
    const noted = (await store.list())[0]!.update
    await store.update(model!.key)
    const beside = (await store.list()).map(({ name, state }) => `${name}: ${state}`)
    const engine = await minnow.createEngine({ threads: 1, backend: 'wasm' })
    await engine.dispose()
    const after = (await store.list()).map(({ name, state }) => `${name}: ${state}`)
    return { found, noted, beside, hash: engine.info.modelHash, after }
  })
  expect(seen.found).toMatchObject({ name: 'Newer', sha256 })
  expect(seen.noted).toEqual(seen.found)
  expect(seen.beside).toEqual(['Newer: untried', 'SmolLM2 135M Instruct: proven'])
  expect(seen.hash).toBe(sha256)
  expect(seen.after).toEqual(['Newer: proven'])
})
