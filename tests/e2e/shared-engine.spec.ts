import { readFileSync } from 'node:fs'
import type { Browser, Page } from '@playwright/test'
import { expect, openLibrary, test } from './site'

const MESSAGES = [{ role: 'user' as const, content: 'Write a story about a small fish.' }]
const PARAMS = { messages: MESSAGES, seed: 7, temperature: 0.8, max_tokens: 60 }

/** Opens the library in a tab of its own, with the engine that is shared. */
async function openTab(page: Page, open: 'createSharedEngine' | 'createEngine' = 'createSharedEngine') {
  await openLibrary(page, '/harness/')
  await page.evaluate(async (name) => {
    const engine = await minnow[name]({ backend: 'wasm', threads: 1 })
    Object.assign(globalThis, { engine })
  }, open)
}

/** Starts an answer in a tab, whose text grows in its `answer`. */
async function startAnswer(page: Page): Promise<void> {
  await page.evaluate(async (params) => {
    const tab = globalThis as unknown as {
      engine: Awaited<ReturnType<typeof minnow.createEngine>>
      answer: string
      done: Promise<void>
    }
    tab.answer = ''
    const stream = await tab.engine.chat.completions.create({ ...params, stream: true })
    tab.done = (async () => {
      for await (const part of stream) tab.answer += part.choices[0]?.delta.content ?? ''
    })()
  }, PARAMS)
}

function answerOf(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const tab = globalThis as unknown as { answer: string; done: Promise<void> }
    await tab.done
    return tab.answer
  })
}

/** Bytes of all processes of the browser that are not files: weights lie there. */
async function memoryOf(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  let kilobytes = 0
  for (const { id } of processInfo) {
    const status = readFileSync(`/proc/${id}/status`, 'utf8')
    for (const [, size] of status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm)) kilobytes += Number(size)
  }
  return kilobytes * 1024
}

test('two tabs share one engine, and the second goes on when the first is closed', async ({
  page,
  context,
}) => {
  await openTab(page)
  const second = await context.newPage()
  await openTab(second)
  expect(page.workers()).toHaveLength(1)
  expect(second.workers()).toHaveLength(0)
  await startAnswer(second)
  const whole = await answerOf(second)
  expect(whole.length).toBeGreaterThan(60)

  await startAnswer(second)
  await second.waitForFunction(() => (globalThis as unknown as { answer: string }).answer.length > 40)
  await page.close()
  expect(await answerOf(second)).toBe(whole)
  expect(second.workers()).toHaveLength(1)
})

test('a worker that dies is replaced in the middle of an answer of another tab', async ({
  page,
  context,
}) => {
  await page.addInitScript(() => {
    const Original = Worker
    globalThis.Worker = class extends Original {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(url, options)
        Object.assign(globalThis, { lastWorker: this })
      }
    }
  })
  await openTab(page)
  const second = await context.newPage()
  await openTab(second)
  await startAnswer(second)
  await second.waitForFunction(() => (globalThis as unknown as { answer: string }).answer.length > 40)
  await page.evaluate(() => (globalThis as unknown as { lastWorker: Worker }).lastWorker.terminate())
  const text = await answerOf(second)
  await startAnswer(second)
  expect(await answerOf(second)).toBe(text)
})

test('the memory of a shared engine is taken once', async ({ page, context, browser }) => {
  test.skip(process.platform !== 'linux', 'reads /proc')
  const [second, third] = [await context.newPage(), await context.newPage()]
  for (const tab of [second, third]) await openLibrary(tab, '/harness/')
  await openTab(page)
  const alone = await memoryOf(browser)
  await openTab(second)
  const shared = await memoryOf(browser)
  await openTab(third, 'createEngine')
  const apart = await memoryOf(browser)
  const { weightsBytes } = await page.evaluate(
    () => (globalThis as unknown as { engine: { info: { weightsBytes: number } } }).engine.info,
  )
  expect(shared - alone).toBeLessThan(weightsBytes / 4)
  // That this can be seen at all: an engine of one's own does take it again.
  expect(apart - shared).toBeGreaterThan(weightsBytes)
})
