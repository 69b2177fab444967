import { join } from 'node:path'
import { serve, type RunningServer } from '../../scripts/serve'
import { loadNativeAnswers, type NativeAnswers } from '../remote-server/native-answers'
import { startRemoteServer, type RemoteServer } from '../remote-server/server'
import { expect, openLibrary, test as base } from './site'

const ROOT = join(import.meta.dirname, '../..')
const KEY = 'sk-e2e-0123456789abcdef'
const QUESTION = 'What is the capital of France? Answer in one sentence.'

interface WorkerFixtures {
  model: NativeAnswers
  /** A real second model behind OpenAI's interface, on another origin than the page. */
  remote: RemoteServer
  /** Another one, which lets no page of another origin in. */
  closedRemote: RemoteServer
  /** Serves the library to pages that may fetch from the remotes. */
  librarySite: RunningServer
}

const test = base.extend<object, WorkerFixtures>({
  model: [
    async ({}, use) => {
      const model = await loadNativeAnswers()
      await use(model)
      await model.dispose()
    },
    { scope: 'worker' },
  ],
  remote: [
    async ({ model }, use) => {
      const server = await startRemoteServer({ answer: model.answer, model: model.modelName, key: KEY })
      await use(server)
      await server.close()
    },
    { scope: 'worker' },
  ],
  closedRemote: [
    async ({}, use) => {
      const server = await startRemoteServer({ allowOrigin: null })
      await use(server)
      await server.close()
    },
    { scope: 'worker' },
  ],
  librarySite: [
    async ({}, use) => {
      const site = await serve({
        mounts: { '/dist/': join(ROOT, 'dist'), '/harness/': join(import.meta.dirname, 'harness') },
      })
      await use(site)
      await site.close()
    },
    { scope: 'worker' },
  ],
})

test.beforeEach(async ({ page, remote, librarySite }) => {
  await openLibrary(page, `${librarySite.origin}/harness/`)
  remote.faults.length = 0
  remote.requests.length = 0
})

test.afterEach(({ requestedOrigins, remote, closedRemote, librarySite }) => {
  for (const { baseUrl } of [remote, closedRemote]) requestedOrigins.delete(new URL(baseUrl).origin)
  requestedOrigins.delete(librarySite.origin)
})

test('a real model on another origin streams into the page', async ({ page, remote, model }) => {
  const outcome = await page.evaluate(
    async ({ baseUrl, name, apiKey, question }) => {
      const engine = minnow.createRemoteEngine({ baseUrl, model: name, apiKey, contextLength: 1024 })
      const stream = await engine.chat.completions.create({
        messages: [{ role: 'user', content: question }],
        max_tokens: 24,
        temperature: 0,
        stream: true,
        stream_options: { include_usage: true },
      })
      let text = ''
      let pieces = 0
      let usage = null
      for await (const chunk of stream) {
        const piece = chunk.choices[0]?.delta.content ?? ''
        text += piece
        if (piece !== '') pieces++
        usage = chunk.usage ?? usage
      }
      const models = await engine.models()
      await engine.dispose()
      return { text, pieces, usage, models: models.map(({ id }) => id) }
    },
    { baseUrl: remote.baseUrl, name: model.modelName, apiKey: KEY, question: QUESTION },
  )
  expect(outcome.text).toMatch(/Paris|France/)
  expect(outcome.pieces).toBeGreaterThan(2)
  expect(outcome.usage?.prompt_tokens).toBeGreaterThan(5)
  expect(outcome.usage?.completion_tokens).toBeGreaterThan(2)
  expect(outcome.models).toEqual([model.modelName])
  expect(remote.requests).toHaveLength(1)
})

test('stopping in the page stops the model', async ({ page, remote, model }) => {
  const name = await page.evaluate(
    async ({ baseUrl, model: id, apiKey }) => {
      const engine = minnow.createRemoteEngine({ baseUrl, model: id, apiKey })
      const controller = new AbortController()
      try {
        const stream = await engine.chat.completions.create(
          { messages: [{ role: 'user', content: 'Count from 1 to 1000.' }], max_tokens: 900, stream: true },
          { signal: controller.signal },
        )
        for await (const { choices } of stream) {
          if (choices[0]?.delta.content) controller.abort()
        }
        return 'ended'
      } catch (error) {
        return error instanceof Error ? error.name : 'unknown'
      }
    },
    { baseUrl: remote.baseUrl, model: model.modelName, apiKey: KEY },
  )
  expect(name).toBe('AbortError')
  await expect.poll(() => remote.requests[0]?.left).toBe(true)
})

test('faults reach the page as errors with codes, and never with the key', async ({
  page,
  remote,
  model,
}) => {
  const printed: string[] = []
  page.on('console', (message) => printed.push(message.text()))
  const ask = (options: Record<string, unknown> = {}): Promise<Record<string, string>> =>
    page.evaluate(
      async ({ question, ...given }) => {
        const engine = minnow.createRemoteEngine({ retry: { retries: 0 }, ...given })
        try {
          const completion = await engine.chat.completions.create({
            messages: [{ role: 'user', content: question }],
            max_tokens: 8,
            temperature: 0,
          })
          return { text: completion.choices[0]?.message.content ?? '' }
        } catch (error) {
          console.error(error)
          if (!minnow.isEngineError(error)) return { code: 'other', shown: String(error) }
          return { code: error.code, shown: `${JSON.stringify(error.toData())} ${String(error.stack)}` }
        }
      },
      { baseUrl: remote.baseUrl, model: model.modelName, apiKey: KEY, question: QUESTION, ...options },
    )

  const shown: (string | undefined)[] = []
  const expectCode = async (code: string, options?: Record<string, unknown>): Promise<void> => {
    const outcome = await ask(options)
    expect(outcome['code']).toBe(code)
    shown.push(outcome['shown'])
  }
  await expectCode('unauthorized', { apiKey: `${KEY}-wrong` })
  remote.faults.push({ kind: 'status', status: 429, headers: { 'retry-after': '60' } })
  await expectCode('rate-limited')
  expect(shown.at(-1)).toContain('"retryAfterMs":60000')
  remote.faults.push({ kind: 'cut', after: 2, where: 'in-character' })
  await expectCode('network')
  remote.faults.push({ kind: 'garbage', after: 1, what: 'bytes' })
  await expectCode('invalid-response')
  remote.faults.push({ kind: 'long-line', after: 0, bytes: 10_000_000 })
  await expectCode('invalid-response')
  // Not followed, though it leads to a good answer.
  remote.faults.push({ kind: 'redirect', to: `${remote.baseUrl}/chat/completions` })
  const sent = remote.requests.length
  await expectCode('invalid-response')
  expect(remote.requests).toHaveLength(sent + 1)
  remote.faults.push({ kind: 'hang', after: 0 })
  await expectCode('timeout', { timeouts: { firstTokenMs: 1000 } })
  for (const text of [...shown, ...printed]) expect(text).not.toContain(KEY)

  remote.faults.push({ kind: 'status', status: 503 }, { kind: 'refuse' })
  const recovered = await ask({ retry: { retries: 2, baseMs: 1 } })
  expect(recovered['text']).not.toBe('')
  expect(recovered['text']).toBeDefined()
})

test('a server that does not allow the page gets no question', async ({ page, closedRemote }) => {
  const message = await page.evaluate(async (baseUrl) => {
    const engine = minnow.createRemoteEngine({ baseUrl, model: 'm', retry: { retries: 0 } })
    return engine.chat.completions
      .create({ messages: [{ role: 'user', content: 'Hi' }] })
      .then(() => 'answered', String)
  }, closedRemote.baseUrl)
  expect(message).toMatch(/cannot be reached.*CORS/)
  expect(closedRemote.requests).toHaveLength(0)
})
