import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import type { MinnowChat } from '../../src/widget/minnow-chat'
import { scriptedAnswer } from '../remote-server/answers'
import { startRemoteServer } from '../remote-server/server'
import { askWidget, expect, QUESTION, test } from './widget-site'

/** What a page needs where everything runs in it. */
const POLICY =
  "default-src 'none'; script-src MINNOW 'wasm-unsafe-eval'; worker-src blob: MINNOW; connect-src MINNOW; img-src data:; " +
  "require-trusted-types-for 'script'; trusted-types minnow lit-html dompurify"

/** Gives the widgets of a page an engine that answers at once, and notes what it is asked. */
async function giveEngine(page: Page, answer = 'We ship to **France** and <b>Spain</b>.'): Promise<void> {
  await page.evaluate((text) => {
    const asked: unknown[] = []
    const chunk = (delta: object, reason: string | null = null) => ({
      id: 'answer',
      object: 'chat.completion.chunk',
      created: 0,
      model: 'told',
      choices: [{ index: 0, delta, finish_reason: reason, logprobs: null }],
    })
    const engine = {
      info: {
        model: 'told',
        backend: 'other',
        variant: '',
        threads: 1,
        contextLength: 2048,
        weightsBytes: 0,
        memoryBytes: 0,
      },
      dispose: () => Promise.reject(new Error("it is not the widget's to dispose of")),
      chat: {
        completions: {
          async create(params: { messages: { content: string }[] }, { signal }: { signal: AbortSignal }) {
            asked.push(params)
            const question = params.messages.at(-1)?.content.replace(/^[^]*\nQuestion: /, '')
            if (question === 'fail') throw new Error('failed as told')
            return (async function* () {
              yield chunk({ role: 'assistant', content: '' })
              for (const word of text.split(/(?<= )/)) yield chunk({ content: word })
              if (question === 'wait') {
                await new Promise((_, reject) =>
                  signal.addEventListener('abort', () => reject(signal.reason as Error)),
                )
              }
              yield chunk({}, 'stop')
            })()
          },
        },
      },
    }
    Object.assign(globalThis, { asked })
    for (const widget of document.querySelectorAll('minnow-chat')) widget.engine = engine as never
  }, answer)
}

/** Notes the widgets' events, as pages hear them. */
async function hearEvents(page: Page): Promise<void> {
  await page.evaluate(() => {
    const heard: unknown[] = []
    Object.assign(globalThis, { heard })
    for (const name of ['answer', 'escalate', 'human', 'error', 'open', 'close'] as const) {
      document.addEventListener(`minnow-${name}`, (event) => {
        const detail = (event as CustomEvent).detail as {
          question?: string
          answer?: string
          stopped?: boolean
          code?: string
          messages?: unknown
        } | null
        const { question, answer, stopped, code, messages } = detail ?? {}
        heard.push({
          name,
          from: (event.target as Element).id,
          ...JSON.parse(JSON.stringify({ question, answer, stopped, code, messages })),
        })
      })
    }
  })
}

const heard = (page: Page): Promise<unknown> =>
  page.evaluate(() => (globalThis as unknown as { heard: unknown }).heard)

test('answers on a page of another origin with a strict policy; a second widget has the same engine', async ({
  openHost,
}) => {
  const page = await openHost({
    body: '<h1>A shop</h1><minnow-chat id="a"></minnow-chat><minnow-chat id="b" mode="inline"></minnow-chat>',
    policy: POLICY,
  })
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
  expect(page.workers()).toHaveLength(0)
  await askWidget(page, QUESTION, page.locator('#a'))
  await expect(page.locator('#a .turn').last()).toContainText('Paris')
  await page.keyboard.press('Escape')
  await askWidget(page, QUESTION, page.locator('#b'))
  await expect(page.locator('#b .turn').last()).toContainText('Paris')
  expect(page.workers()).toHaveLength(1)
  expect(page.frames()).toHaveLength(1)
})

test('answers from a frame where the policy allows no engine; two tabs share it', async ({
  openHost,
  context,
}) => {
  const host = {
    body: '<h1>A shop</h1><minnow-chat></minnow-chat>',
    policy: "default-src 'none'; script-src MINNOW; frame-src MINNOW; img-src data:",
  }
  const page = await openHost(host)
  await askWidget(page)
  await expect(page.locator('minnow-chat .turn').last()).toContainText('Paris')
  expect(page.frames()).toHaveLength(2)
  const second = await openHost(host, await context.newPage())
  await askWidget(second)
  await expect(second.locator('minnow-chat .turn').last()).toContainText('Paris')
  expect([page.workers().length, second.workers().length]).toEqual([1, 0])
})

test('asks a larger model when the visitor agrees', async ({ openHost, requestedOrigins }) => {
  const remote = await startRemoteServer({
    answer: scriptedAnswer('Paris, says the larger one.'),
    model: 'larger',
  })
  try {
    const page = await openHost({
      body: `<p id="page">We are a shop in Rome.</p><minnow-chat remote="${remote.baseUrl}" remote-model="larger"
        policy='{"mode":"only-in-cloud","human":"always"}' context-selector="#page"></minnow-chat>`,
    })
    await hearEvents(page)
    await page.locator('minnow-chat [part=button]').click()
    await page.getByLabel('Your question').fill(QUESTION)
    await page.keyboard.press('Enter')
    await expect(page.getByRole('button', { name: 'Send once' })).toBeVisible({ timeout: 60_000 })
    expect(remote.requests).toHaveLength(0)
    expect(await heard(page)).toMatchObject([{ name: 'open' }])
    await page.getByRole('button', { name: 'Send once' }).click()
    const turn = page.locator('minnow-chat .turn').last()
    await expect(turn.locator('minnow-markdown')).toHaveText('Paris, says the larger one.')
    expect(JSON.stringify(remote.requests[0]?.body)).toContain('We are a shop in Rome.')
    await expect(turn).toHaveAttribute('data-state', 'done')
    // There it is of use.
    await expect(page.getByRole('button', { name: 'Good answer' })).toBeVisible()
    const events = (await heard(page)) as { name: string }[]
    expect(events.map(({ name }) => name)).toEqual(['open', 'escalate', 'human', 'answer'])
    expect(events[2]).toMatchObject({ answer: 'Paris, says the larger one.' })
    expect(JSON.stringify(events[2])).toContain(QUESTION)
  } finally {
    requestedOrigins.delete(new URL(remote.baseUrl).origin)
    await remote.close()
  }
})

test('says what the policy lacks where not even the frame is allowed', async ({ openHost }) => {
  const page = await openHost({
    body: '<minnow-chat></minnow-chat>',
    policy: "default-src 'none'; script-src MINNOW; img-src data:",
  })
  await hearEvents(page)
  await page.locator('minnow-chat [part=button]').click()
  await page.getByLabel('Your question').fill(QUESTION)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('alert')).toContainText('frame-src lacks http://localhost')
  expect(await heard(page)).toMatchObject([{ name: 'open' }, { name: 'error', code: 'unsupported' }])
})

test('is used by keyboard, tells what happens, and has no findings of axe', async ({ openHost }) => {
  const page = await openHost({
    body: `<h1>A shop</h1><article><p>We ship to France and Spain.</p></article>
<minnow-chat id="chat" label="Ask the shop" context-selector="article"><p slot="disclaimer">Our own words.</p></minnow-chat>`,
  })
  await giveEngine(page)
  await hearEvents(page)
  const axe = async (): Promise<unknown> =>
    (await new AxeBuilder({ page }).include('minnow-chat').analyze()).violations
  expect(await axe()).toEqual([])
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog', { name: 'Ask the shop' })).toBeVisible()
  await expect(page.getByLabel('Your question')).toBeFocused()
  expect(await axe()).toEqual([])
  await page.keyboard.type('Where do you ship to?')
  await page.keyboard.press('Enter')
  const turn = page.locator('.turn').last()
  await expect(turn).toHaveAttribute('data-state', 'done')
  await expect(turn.locator('strong')).toHaveText('France')
  await expect(turn.locator('b')).toHaveCount(0)
  await expect(page.getByRole('button', { name: 'Ask the bigger model' })).toBeHidden()
  await expect(page.getByText('Our own words.')).toBeVisible()
  expect(await axe()).toEqual([])

  await page.keyboard.type('wait')
  await page.keyboard.press('Enter')
  await expect(turn).toHaveAttribute('data-state', 'answering')
  await page.keyboard.press('Escape')
  await expect(turn).toHaveAttribute('data-state', 'stopped')
  await page.keyboard.type('fail')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('alert')).toContainText('failed as told')
  expect(await axe()).toEqual([])
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
  await expect(page.getByRole('button', { name: 'Ask the shop' })).toBeFocused()

  const answer = 'We ship to **France** and <b>Spain</b>.'
  expect(await heard(page)).toEqual([
    { name: 'open', from: 'chat' },
    { name: 'answer', from: 'chat', question: 'Where do you ship to?', answer, stopped: false },
    { name: 'answer', from: 'chat', question: 'wait', answer, stopped: true },
    { name: 'error', from: 'chat', code: 'internal' },
    { name: 'close', from: 'chat' },
  ])
  const asked = await page.evaluate(
    () => (globalThis as unknown as { asked: { messages: { role: string; content: string }[] }[] }).asked,
  )
  expect(asked[0]?.messages.at(-1)?.content).toBe(
    '-----\nWe ship to France and Spain.\n-----\n\nQuestion: Where do you ship to?',
  )
})

test('looks the same whatever the page around it does, on a phone too', async ({ openHost }) => {
  const hostile = `<style>
* { all: revert; color: red !important; font: 40px/3 serif !important; letter-spacing: 9px; text-transform:
* uppercase; direction: rtl }
html { font-size: 62.5% } div, button, p, form { position: static !important; display: none !important; background: lime !important }
:root { --paper: lime; --ink: lime; --accent: lime; --minnow-accent: rgb(120 0 80) } body { transform: rotate(2deg) }
</style>`
  const page = await openHost({ body: `${hostile}<minnow-chat></minnow-chat>` })
  await giveEngine(page)
  await page.setViewportSize({ width: 320, height: 568 })
  await askWidget(page, 'Where do you ship to?')
  const looks = await page.getByRole('dialog').evaluate((panel) => {
    const { color, fontSize, letterSpacing, textTransform, backgroundColor } = getComputedStyle(panel)
    const { x, width, height } = panel.getBoundingClientRect()
    return { color, fontSize, letterSpacing, textTransform, backgroundColor, box: [x, width, height] }
  })
  expect(looks).toEqual({
    color: 'rgb(29, 35, 39)',
    fontSize: '16px',
    letterSpacing: 'normal',
    textTransform: 'none',
    backgroundColor: 'rgb(251, 250, 247)',
    box: [0, 320, 568],
  })
  await expect(page.getByRole('button', { name: 'Send' })).toHaveCSS('background-color', 'rgb(120, 0, 80)')
  await expect(page.getByRole('button', { name: 'Send' })).toBeInViewport({ ratio: 1 })
  // The page's rem is 10 px.
  await expect(page.locator('.question')).toHaveCSS('padding-inline-start', '16px')
  await expect(page.getByRole('button', { name: 'Send' })).toHaveCSS('min-height', '44px')
  await expect(page.getByLabel('Your question')).toHaveCSS('direction', 'ltr')
})

test('has methods, takes another engine and outlives being moved', async ({ openHost }) => {
  const page = await openHost({
    body: '<main></main><minnow-chat mode="inline" language="de" theme="dark"></minnow-chat>',
  })
  await giveEngine(page)
  const state = await page.evaluate(async () => {
    const widget: MinnowChat = document.querySelector('minnow-chat')!
    widget.context = () => 'Wir liefern nach Frankreich.'
    const answered = new Promise<string>((resolve) => {
      widget.addEventListener('minnow-answer', ({ detail }) => resolve(detail.answer), { once: true })
    })
    await widget.ask('Wohin?')
    document.querySelector('main')!.append(widget)
    await new Promise((resolve) => setTimeout(resolve, 10))
    await widget.ask('Und sonst?')
    return { answer: await answered, expanded: widget.expanded }
  })
  expect(state).toEqual({ answer: 'We ship to **France** and <b>Spain</b>.', expanded: true })
  await expect(page.locator('.turn')).toHaveCount(2)
  await expect(page.getByRole('button', { name: 'Senden' })).toBeVisible()
  await page.evaluate(() => document.querySelector('minnow-chat')!.clear())
  await expect(page.locator('.turn')).toHaveCount(0)
})

test('two widgets speak a language each, and another as soon as they are told', async ({ openHost }) => {
  const page = await openHost({
    body: '<minnow-chat id="a" mode="inline" language="en"></minnow-chat><minnow-chat id="b" mode="inline" language="de"></minnow-chat>',
  })
  await page.evaluate(async () => {
    // The first is drawn again after the other's language was loaded.
    for (const id of ['a', 'b']) await document.querySelector<MinnowChat>(`#${id}`)!.open()
    document
      .querySelector('#a')!
      .shadowRoot!.querySelector<HTMLElement & { requestUpdate(): void }>('minnow-chat-panel')!
      .requestUpdate()
  })
  const [first, second] = [page.locator('#a'), page.locator('#b')]
  await expect(second.getByRole('button', { name: 'Senden' })).toBeVisible()
  await expect(first.getByRole('button', { name: 'Send', exact: true })).toBeVisible()
  await expect(second.locator('minnow-chat-panel')).toHaveAttribute('lang', 'de')

  await first.evaluate((widget: MinnowChat) => {
    widget.language = 'de-AT'
  })
  await expect(first.getByRole('button', { name: 'Senden' })).toBeVisible()
  await second.evaluate((widget: MinnowChat) => {
    widget.language = 'en'
  })
  await expect(second.getByRole('button', { name: 'Send', exact: true })).toBeVisible()
  await expect(first.getByPlaceholder('Frag etwas')).toBeVisible()
})
