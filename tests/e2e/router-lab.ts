import { join } from 'node:path'
import { expect, test as base, type BrowserContext, type Page } from '@playwright/test'
import { serve } from '../../scripts/serve'
import type {
  ChatCompletionChunk,
  Engine,
  Price,
  RouteEvent,
  RouteRequest,
  SettledRoute,
} from '../../src/index'
import type { LedgerEntry, PolicyInput, RemoteEngineOptions, RouteSpan } from '../../src/index'
import { SCRIPTED_TEXT, scriptedAnswer } from '../remote-server/answers'
import { loadNativeAnswers, type NativeAnswers } from '../remote-server/native-answers'
import { startRemoteServer, type RemoteServer } from '../remote-server/server'

declare global {
  /** The local engine in the lab's page, loaded once for all tests. */
  var localEngine: Engine
}

const ROOT = join(import.meta.dirname, '../..')
export const KEY = 'sk-e2e-0123456789abcdef'
export const PRICE: Price = { inputPerMillion: 1, outputPerMillion: 2, date: '2026-01-01' }
export const QUESTION = 'What do fish eat?'
const DATABASE = 'router-lab'

/** One question to a router in the page. */
export interface Asked {
  /** One remote, or several as a pool; each with the address of the scripted server unless it says another. */
  remotes?: Partial<RemoteEngineOptions>[]
  policy?: PolicyInput
  route?: RouteRequest
  question?: string
  consent?: 'no' | 'once' | 'scope'
  /** With the embedded model's own calibration. Default false: local answers are taken as they are. */
  calibrated?: boolean
  /** The reader leaves once so many chunks had text. */
  leaveAfter?: number
  /** Waits until a shadow run has compared. */
  compared?: boolean
}

/** What its reader saw, and what was written down. */
export interface Outcome {
  /** What stands on the screen in the end: dropped on 'upgrading' and 'restoring', as the documentation says. */
  text: string
  /** What stood there before it was dropped. */
  dropped: string[]
  events: RouteEvent[]
  chunks: ChatCompletionChunk[]
  error: { code: string; shown: string } | null
  /** What the user was asked. */
  asked: string[]
  spans: RouteSpan[]
  policy: unknown
  /** Of the last request. */
  entry: LedgerEntry
  entries: number
  exported: string
}

export interface Lab {
  readonly page: Page
  readonly context: BrowserContext
  readonly origin: string
  /** Scripted: its text is `script.text`. */
  readonly remote: RemoteServer
  readonly script: { text: string }
  /** Scripted as well, to fall back to. */
  readonly second: RemoteServer
  /** A real model. */
  readonly large: RemoteServer
  /** The local answer to QUESTION. */
  readonly localText: string
  /** What the page wrote to its console. */
  readonly printed: string[]
  /** Requests to routers so far. */
  count: number
  ask(asked?: Asked): Promise<Outcome>
}

/** A page with the library, a loaded engine and three remotes, shared by all tests of a file. */
export const test = base.extend<object, { lab: Lab }>({
  lab: [
    async ({ browser }, use) => {
      const script = { text: SCRIPTED_TEXT }
      const scripted = (key?: string): Promise<RemoteServer> =>
        startRemoteServer({
          answer: (request, signal) => scriptedAnswer(script.text)(request, signal),
          ...(key === undefined ? {} : { key }),
        })
      let native: Promise<NativeAnswers> | null = null
      const remote = await scripted(KEY)
      const second = await scripted()
      const large = await startRemoteServer({
        answer: async (request, signal) => (await (native ??= loadNativeAnswers())).answer(request, signal),
      })
      const servers = [remote, second, large]
      const origins = servers.map(({ baseUrl }) => new URL(baseUrl).origin)
      const site = await serve({
        mounts: {
          '/': join(ROOT, 'dist/site'),
          '/dist/': join(ROOT, 'dist'),
          '/models/': join(ROOT, 'models'),
          '/harness/': join(import.meta.dirname, 'harness'),
        },
      })
      const context = await browser.newContext()
      const others = new Set<string>()
      context.on('request', (request) => {
        const { origin } = new URL(request.url())
        if (origin !== site.origin && !origins.includes(origin)) others.add(origin)
      })
      const page = await context.newPage()
      const printed: string[] = []
      page.on('console', (message) => printed.push(message.text()))
      page.on('pageerror', (error) => printed.push(`${error.message} ${error.stack}`))
      await page.goto(`${site.origin}/harness/`)
      await page.waitForFunction(() => 'minnow' in globalThis)
      const localText = await page.evaluate(async (question) => {
        globalThis.localEngine = await minnow.createEngine()
        const { choices } = await localEngine.chat.completions.create({
          messages: [{ role: 'user', content: question }],
          max_tokens: 10,
          temperature: 0,
        })
        return choices[0]?.message.content ?? ''
      }, QUESTION)
      const lab: Lab = {
        page,
        context,
        origin: site.origin,
        remote,
        script,
        second,
        large,
        localText,
        printed,
        count: 0,
        async ask({ remotes = [{}], policy = {}, route = {}, question = QUESTION, ...rest } = {}) {
          lab.count++
          const outcome = await page.evaluate(askThere, {
            remotes: remotes.map((options) => ({
              baseUrl: remote.baseUrl,
              model: 'test-model',
              apiKey: KEY,
              price: PRICE,
              retry: { retries: 1, baseMs: 1 },
              ...options,
            })),
            policy,
            route,
            question,
            database: DATABASE,
            consent: rest.consent ?? 'once',
            calibrated: rest.calibrated ?? false,
            leaveAfter: rest.leaveAfter ?? Infinity,
            compared: rest.compared ?? false,
          })
          expectNoKey(JSON.stringify(outcome))
          expect(outcome.entries).toBe(lab.count)
          return outcome
        },
      }
      await use(lab)
      await context.close()
      await Promise.all([site.close(), ...servers.map((server) => server.close())])
      await (await (native as Promise<NativeAnswers> | null))?.dispose()
      expect([...others]).toEqual([])
    },
    { scope: 'worker' },
  ],
})

/** As it is, and as it stands in headers of basic authentication. */
export function expectNoKey(text: string): void {
  expect(text).not.toContain(KEY)
  expect(text).not.toContain(Buffer.from(KEY).toString('base64').replaceAll('=', ''))
}

export function settledOf({ events }: Outcome): SettledRoute {
  const last = events.at(-1)
  if (last?.type !== 'settled') throw new Error('The last event is not settled.')
  return last
}

/** Runs in the page. */
async function askThere(given: {
  remotes: RemoteEngineOptions[]
  policy: PolicyInput
  route: RouteRequest
  question: string
  database: string
  consent: 'no' | 'once' | 'scope'
  calibrated: boolean
  leaveAfter: number
  compared: boolean
}): Promise<Outcome> {
  const engines = given.remotes.map((options) => minnow.createRemoteEngine(options))
  const [first] = engines
  const calibration = given.calibrated
    ? await minnow.loadDefaultCalibration(localEngine.info.modelHash)
    : null
  const asked: string[] = []
  const spans: RouteSpan[] = []
  const router = minnow.createRouter({
    local: localEngine,
    remote: engines.length > 1 ? minnow.createRemotePool(engines) : (first ?? null),
    policy: given.policy,
    calibration:
      calibration && minnow.createConfidenceModel(calibration, { modelHash: localEngine.info.modelHash }),
    consent: ({ text }) => {
      asked.push(text)
      return given.consent
    },
    storage: await minnow.openIndexedDbStorage(given.database),
    onSpan: (span) => spans.push(span),
  })
  let text = ''
  let pieces = 0
  const dropped: string[] = []
  const events: RouteEvent[] = []
  const chunks: ChatCompletionChunk[] = []
  let error: Outcome['error'] = null
  try {
    const stream = await router.chat.completions.create({
      messages: [{ role: 'user', content: given.question }],
      max_tokens: 10,
      temperature: 0,
      stream: true,
      minnow: { route: given.route },
    })
    for await (const chunk of stream) {
      chunks.push(chunk)
      const event = chunk.minnow?.route
      if (event !== undefined) events.push(event)
      if (event?.type === 'upgrading' || event?.type === 'restoring') {
        dropped.push(text)
        text = ''
      }
      const piece = chunk.choices[0]?.delta.content ?? ''
      text += piece
      if (piece !== '' && ++pieces >= given.leaveAfter) break
    }
  } catch (thrown) {
    console.error(thrown)
    error = minnow.isEngineError(thrown)
      ? { code: thrown.code, shown: `${JSON.stringify(thrown.toData())} ${String(thrown.cause)}` }
      : { code: 'other', shown: String(thrown) }
  }
  while (given.compared && (await router.ledger.list()).at(-1)?.shadowAgreed === null)
    await new Promise((resolve) => setTimeout(resolve, 20))
  const entries = await router.ledger.list()
  const exported = `${await router.ledger.export('csv')}${await router.ledger.export('json')}`
  const policy: unknown = structuredClone(router.policy)
  await router.dispose()
  for (const engine of engines) await engine.dispose()
  const entry = entries.at(-1)
  if (entry === undefined) throw new Error('The ledger is empty.')
  return {
    text,
    dropped,
    events,
    chunks,
    error,
    asked,
    spans,
    policy,
    entry,
    entries: entries.length,
    exported,
  }
}
