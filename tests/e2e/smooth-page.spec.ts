/** The page while an answer is written, in a conversation of five thousand messages: nothing waits, nothing moves. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from '@playwright/test'
import { expect, test } from './site'

const TURNS = 2500

/** A file as the page exports it. */
function longConversation(): string {
  const turns = Array.from({ length: TURNS }, (_, index) => ({
    id: `turn-${index}`,
    parent: index === 0 ? null : `turn-${index - 1}`,
    at: 1e12 + index,
    question: `Question number ${index}?`,
    answer: `Answer **${index}**, with a list:\n\n- one\n- two\n\n\`\`\`js\nconst answer = ${index}\n\`\`\`\n\nAnd words. ${'More words. '.repeat(index % 30)}`,
    state: 'done',
    source: null,
  }))
  const conversation = { title: 'Long', createdAt: 1e12, updatedAt: 1e12, leaf: null, turns }
  return JSON.stringify({ format: 'minnow-conversations', version: 1, conversations: [conversation] })
}

interface TraceEvent {
  name: string
  tid: number
  pid: number
  ts: number
  dur?: number
  /** What the processor worked at it, in microseconds: not what it waited for it. */
  tdur?: number
  args?: { name?: string }
}

/**
 * The tasks of the page's main thread while `work` runs, the longest first, in milliseconds of the processor: the machine may be
 * busy with other things. Without those in which the test itself asks the page something.
 */
async function tasksDuring(browser: Browser, page: Page, work: () => Promise<void>): Promise<number[]> {
  await browser.startTracing(page, { categories: ['toplevel'] })
  await work()
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[]
  }
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid}.${tid}`
  const mains = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(threadOf),
  )
  const onMain = traceEvents.filter((event) => mains.has(threadOf(event)))
  const ofTest = onMain.filter(({ args }) => JSON.stringify(args ?? {}).includes('DevToolsSession'))
  return onMain
    .filter(({ name }) => name.endsWith('RunTask'))
    .filter(
      (task) =>
        !ofTest.some(
          (event) =>
            threadOf(event) === threadOf(task) &&
            event.ts >= task.ts &&
            event.ts <= task.ts + (task.dur ?? 0),
        ),
    )
    .map(({ tdur = 0 }) => tdur / 1000)
    .toSorted((a, b) => b - a)
}

test('five thousand messages: smooth and still while an answer is written', async ({ page, browser }) => {
  const folder = mkdtempSync(join(tmpdir(), 'minnow-long-'))
  const file = join(folder, 'long.json')
  writeFileSync(file, longConversation())
  try {
    await page.setViewportSize({ width: 1200, height: 800 })
    await page.goto('/')
    const list = page.getByRole('complementary', { name: 'Conversations' })
    await list.locator('input[type=file]').setInputFiles(file)
    await list.getByRole('button', { name: /^Long/ }).click()
    await expect(page.locator('.turn')).toHaveCount(TURNS, { timeout: 30_000 })
    await expect(
      page.locator('.turn').last().getByRole('button', { name: 'Copy the answer' }),
    ).toBeInViewport()
    // What is far away is not drawn, but there to be searched.
    expect(await page.locator('minnow-turn').count()).toBeLessThan(40)
    await expect(page.locator('.turn').first()).toContainText('Question number 0?')

    await page.evaluate(() => {
      const shifts: number[] = []
      Object.assign(globalThis, { shifts })
      new PerformanceObserver((entries) => {
        for (const entry of entries.getEntries()) shifts.push((entry as unknown as { value: number }).value)
      }).observe({ type: 'layout-shift' })
    })
    await page
      .getByRole('textbox', { name: 'Your question', exact: true })
      .fill('Write a long story about a fish.')
    await page.keyboard.press('Enter')
    const last = page.locator('.turn').last()
    await expect(last).toHaveAttribute('data-state', 'answering', { timeout: 60_000 })
    const frames = await page.evaluateHandle(() => {
      const times: number[] = []
      const note = (time: number): void => {
        times.push(time)
        requestAnimationFrame(note)
      }
      requestAnimationFrame(note)
      return times
    })
    const tasks = await tasksDuring(browser, page, async () => {
      await page.waitForTimeout(4000)
    })
    const gaps = (await frames.jsonValue()).map((time, index, times) => time - (times[index - 1] ?? time))
    await page.keyboard.press('Escape')
    await expect(last).toHaveAttribute('data-state', /stopped|done|cut/)
    await expect(last).toContainText('The conversation is too long for the model')
    const shifts = await page.evaluate(() => (globalThis as unknown as { shifts: number[] }).shifts)
    expect(tasks.length).toBeGreaterThan(100)
    expect(tasks[0]).toBeGreaterThan(0)
    expect(tasks[0]).toBeLessThan(50)
    expect(shifts).toEqual([])
    // Frames by the clock, on a machine that others may keep busy: most come in time all the same.
    expect(gaps.length).toBeGreaterThan(60)
    expect(gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)]).toBeLessThan(50)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
