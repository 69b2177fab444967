/** Every state of the page, in light and dark: axe, small and enlarged screens, right to left, without motion, by ear. */
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, test } from './site'

/** A conversation as the page exports it: what an answer may hold, and words that are too long for a line. */
const RICH = JSON.stringify({
  format: 'minnow-conversations',
  version: 1,
  conversations: [
    {
      title: 'Rich',
      createdAt: 1e12,
      updatedAt: 1e12,
      leaf: null,
      turns: [
        {
          id: 'rich',
          parent: null,
          at: 1e12,
          question: `Show me all you can. ${'Donaudampfschifffahrt'.repeat(6)}`,
          answer: [
            '# Title',
            'Words, **bold**, *italic*, `code`, [a link](https://example.org) and $x_1 + x_2$.',
            '- one\n- two',
            `| animal | legs | ${'remark '.repeat(8)}|\n|---|--:|---|\n| cat | 4 | ${'word '.repeat(20)} |`,
            `\`\`\`python\ndef double(x):\n    return 2 * x  # ${'long '.repeat(30)}\n\`\`\``,
            '> a quote',
            'שלום, זו תשובה.',
          ].join('\n\n'),
          state: 'done',
          source: null,
        },
      ],
    },
  ],
})

async function expectAccessible(page: Page, state: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
    state,
  ).toEqual([])
}

/** Nothing is wider than the screen; what scrolls by itself scrolls within. */
async function expectFits(page: Page, state: string): Promise<void> {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(wide, state).toBeLessThanOrEqual(0)
}

async function openRich(page: Page): Promise<void> {
  const list = page.getByRole('complementary', { name: 'Conversations' })
  await list
    .locator('input[type=file]')
    .setInputFiles({ name: 'rich.json', mimeType: 'application/json', buffer: Buffer.from(RICH) })
  await list.getByRole('button', { name: /^Rich/ }).click()
  await expect(page.locator('.turn').getByRole('table')).toBeVisible()
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(`in ${colorScheme}`, () => {
    test.use({ colorScheme, viewport: { width: 1200, height: 800 } })

    test('before the model, while it loads, and where that fails', async ({ page }) => {
      let answer: 'wait' | 'fail' = 'wait'
      await page.route('**/manifest.json', async (route) => {
        if (answer === 'fail') await route.abort()
        else await new Promise<void>((resolve) => setTimeout(resolve, 3000)).then(() => route.abort())
      })
      await page.goto('/')
      await expect(page.locator('#loading')).toBeVisible()
      await expectAccessible(page, 'loading')
      answer = 'fail'
      await expect(page.getByRole('alert')).toContainText('The connection failed.', { timeout: 60_000 })
      await expectAccessible(page, 'failed')
    })

    test('answers, edits, conversations and everything that can be opened', async ({ page }) => {
      await page.goto('/')
      await openRich(page)
      await expectAccessible(page, 'an answer with code, table and maths')
      await page.getByRole('button', { name: 'Edit the question' }).click()
      await expectAccessible(page, 'editing a question')
      await page.keyboard.press('Escape')
      const list = page.getByRole('complementary', { name: 'Conversations' })
      await list.getByRole('button', { name: /^More of/ }).click()
      await expectAccessible(page, 'actions of a conversation')
      await list.getByRole('button', { name: 'Rename' }).click()
      await expectAccessible(page, 'renaming a conversation')
      await page.keyboard.press('Escape')
      await list.getByRole('button', { name: 'Delete all' }).click()
      await expectAccessible(page, 'before everything is deleted')
      await page.getByRole('button', { name: 'Figures' }).click()
      await expectAccessible(page, 'figures')
      await page.evaluate(() => {
        const files = new DataTransfer()
        files.items.add(new File(['a'], 'a.txt'))
        document.body.dispatchEvent(
          new DragEvent('dragover', { bubbles: true, composed: true, cancelable: true, dataTransfer: files }),
        )
      })
      await expect(page.locator('.drop-veil')).toBeVisible()
      await expectAccessible(page, 'a file over the page')
    })
  })
}

test.describe('in another direction, enlarged, without motion', () => {
  test.use({ viewport: { width: 1200, height: 800 }, reducedMotion: 'reduce' })

  test('nothing is cut off, and nothing moves by itself', async ({ page }) => {
    await page.goto('/')
    await openRich(page)
    for (const dir of ['ltr', 'rtl']) {
      await page.evaluate((each) => (document.documentElement.dir = each), dir)
      for (const [width, height] of [
        // A window of 1,280 × 720 at 200 %.
        [640, 360],
        [320, 640],
        [1200, 800],
      ] as const) {
        await page.setViewportSize({ width, height })
        await expectFits(page, `${dir} ${width}`)
        await expect(page.getByRole('textbox', { name: 'Your question', exact: true })).toBeInViewport()
      }
      await expectAccessible(page, dir)
    }
    await page.evaluate(() => (document.documentElement.dir = 'ltr'))
    await page
      .getByRole('textbox', { name: 'Your question', exact: true })
      .fill('Write a story about a fish.')
    await page.keyboard.press('Enter')
    await expect(page.locator('.turn').last()).toHaveAttribute('data-state', 'answering', { timeout: 60_000 })
    const moving = await page.evaluate(() =>
      document
        .getAnimations()
        .filter(({ playState, effect }) => playState === 'running' && effect?.getTiming().duration !== 0)
        .map((each) => (each as CSSAnimation).animationName ?? each.id),
    )
    expect(moving).toEqual([])
    await expectAccessible(page, 'answering')
    await page.keyboard.press('Escape')
  })
})

test('a screen reader hears an answer sentence by sentence, and how it ended', async ({ page }) => {
  await page.goto('/')
  await page.evaluate(() => {
    const said: string[] = []
    Object.assign(globalThis, { said })
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const node of addedNodes) said.push(node.textContent ?? '')
    }).observe(document.querySelector('#status')!, { childList: true, subtree: true })
  })
  await page
    .getByRole('textbox', { name: 'Your question', exact: true })
    .fill('Explain in three sentences why the sky is blue.')
  await page.keyboard.press('Enter')
  const turn = page.locator('.turn').last()
  await expect(turn).toHaveAttribute('data-state', /done|cut/, { timeout: 60_000 })
  const said = await page.evaluate(() => (globalThis as unknown as { said: string[] }).said)
  const words = said.join(' ')
  const answer = await turn.locator('minnow-markdown #text').innerText()
  const sentences = said.filter(
    (each) => answer.replaceAll(/\s+/g, ' ').includes(each.trim()) && each.trim() !== '',
  )
  expect(sentences.length).toBeGreaterThan(1)
  // Whole sentences, but for the last one of an answer that was cut.
  for (const sentence of sentences.slice(0, -1)) expect(sentence.trim()).toMatch(/[.!?:)"”]$/)
  expect(words).toMatch(/complete|cut/i)
})
