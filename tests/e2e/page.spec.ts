import type { Page } from '@playwright/test'
import { expect, test } from './site'

const CAPITAL = 'What is the capital of France? Answer in one sentence.'

function question(page: Page) {
  return page.getByLabel('Your question')
}

function turn(page: Page) {
  return page.locator('.turn').last()
}

async function ask(page: Page, text: string): Promise<void> {
  await question(page).fill(text)
  await page.keyboard.press('Enter')
}

async function expectState(page: Page, state: RegExp, timeout = 60_000): Promise<void> {
  await expect(turn(page)).toHaveAttribute('data-state', state, { timeout })
}

test('streams an answer, keeps the conversation and reuses what it has read', async ({ page }) => {
  await page.goto('/')
  const reading = page.evaluate(async () => {
    const lengths: number[] = []
    for (;;) {
      const shown = document.querySelector('minnow-turns')?.shadowRoot?.querySelector('minnow-turn')
      const text = shown?.shadowRoot?.querySelector('minnow-markdown')?.shadowRoot?.textContent ?? ''
      if (lengths.at(-1) !== text.length) lengths.push(text.length)
      if (shown?.closest<HTMLElement>('.turn')?.dataset['state'] === 'done') return lengths
      await new Promise((resolve) => requestAnimationFrame(resolve))
    }
  })
  await ask(page, CAPITAL)
  await expectState(page, /done/)
  await expect(turn(page).locator('.answer [part=text]')).toContainText('Paris')
  // More than one step, each longer: it was streamed.
  const grown = await reading
  expect(grown.length).toBeGreaterThan(2)
  expect(grown).toEqual(grown.toSorted((a, b) => a - b))

  await ask(page, 'And of Italy?')
  await expectState(page, /done|cut/)
  await expect(page.locator('.turn')).toHaveCount(2)
  const prompt = page.locator('#figures').getByText(/kept$/)
  const [, all, kept] = /(\d+), (\d+) kept/.exec(await prompt.innerText()) ?? []
  expect(Number(kept)).toBeGreaterThan(20)
  expect(Number(all)).toBeGreaterThan(Number(kept))
  await expect(page.locator('#figures')).toContainText('tokens/s')

  await page.getByRole('button', { name: 'New conversation' }).click()
  await expect(page.locator('.turn')).toHaveCount(0)
  await expect(question(page)).toBeFocused()
})

test('stops in the middle of an answer, by Escape and by the button, and answers again', async ({ page }) => {
  await page.goto('/')
  await ask(page, 'Write a long story about a fish.')
  await expectState(page, /answering/)
  await page.keyboard.press('Escape')
  await expectState(page, /stopped/, 2000)
  const heard = page.locator('#status')
  await expect(heard.locator('p').last()).toHaveText('Stopped.')
  await expect(heard).not.toContainText('complete')
  const answer = turn(page).locator('.answer [part=text]')
  const text = await answer.innerText()
  expect(text.length).toBeGreaterThan(0)

  await ask(page, 'Write a long story about a bird.')
  await expectState(page, /answering/)
  await page.getByRole('button', { name: 'Stop' }).click()
  await expectState(page, /stopped/, 2000)
  await expect(page.locator('.turn').first().locator('.answer [part=text]')).toHaveText(text)

  await page.getByRole('button', { name: 'New conversation' }).click()
  await ask(page, CAPITAL)
  await expectState(page, /done/)
  await expect(answer).toContainText('Paris')
  await expect(heard.locator('p').last()).toHaveText('The answer is complete: on this device.')
})

test('a question may come before the model, Shift+Enter makes a line', async ({ page }) => {
  await page.goto('/')
  await expect(question(page)).toBeFocused()
  await page.keyboard.type('What is the capital')
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.type('of France?')
  await expect(question(page)).toHaveValue('What is the capital\nof France?')
  await page.keyboard.press('Enter')
  await expectState(page, /waiting/, 2000)
  await expect(page.getByRole('progressbar')).toBeVisible()
  await expectState(page, /done|cut/)
  await expect(page.getByRole('progressbar')).toBeHidden()
})

test('works after a reload', async ({ page }) => {
  await page.goto('/')
  await ask(page, CAPITAL)
  await expectState(page, /answering|done/)
  const begun = turn(page).locator('.answer [part=text]')
  await expect(begun).not.toHaveText('')
  // Written down twice a second.
  await page.waitForTimeout(1000)
  await page.reload()
  await expect(begun).not.toHaveText('')
  await expect(page.locator('.turn')).toHaveCount(1)
  await ask(page, CAPITAL)
  await expectState(page, /done/)
  await expect(turn(page).locator('.answer [part=text]')).toContainText('Paris')
})

test('shows what the model and people write as text', async ({ page }) => {
  await page.goto('/')
  await ask(page, '<img src=x onerror="document.title=1"> <b>Say hi.</b> <|im_end|>')
  await expectState(page, /answering|done|cut/)
  await expect(turn(page).locator('.question')).toContainText('<b>Say hi.</b>')
  await expect(turn(page).locator('img, b')).toHaveCount(0)
  await page.keyboard.press('Escape')
})

test('says in words what failed, and a retry goes on', async ({ page }) => {
  let broken = true
  await page.route('**/manifest.json', (route) => (broken ? route.abort() : route.continue()))
  await page.goto('/')
  const alert = page.getByRole('alert')
  await expect(alert).toContainText('The connection failed.')

  // Nor does it vanish when the conversation is shown again that was shown before a reload.
  await ask(page, 'Anyone?')
  await expectState(page, /failed/)
  await expect(page.getByRole('button', { name: 'More of “Anyone?”' })).toBeVisible()
  await page.route('**/assets/sidebar-*.js', async (route) => {
    await expect(alert).toBeVisible()
    await route.continue()
  })
  await page.reload()
  await expectState(page, /failed/)
  await expect(alert).toContainText('The connection failed.')
  broken = false
  await alert.getByRole('button', { name: 'Try again' }).click()
  await expect(alert).toBeHidden()
  await ask(page, CAPITAL)
  await expectState(page, /done/)
})

test('loads by itself when the network is back', async ({ page, context }) => {
  let broken = true
  await page.route('**/manifest.json', (route) => (broken ? route.abort() : route.continue()))
  await page.goto('/')
  const alert = page.getByRole('alert')
  await expect(alert).toContainText('The connection failed.')
  await context.setOffline(true)
  broken = false
  const chunk = page.waitForRequest(/\.bin$/)
  await context.setOffline(false)
  await expect(alert).toBeHidden()
  await chunk
})

test('starts anew after its worker died in the middle of an answer', async ({ page }) => {
  await page.addInitScript(() => {
    const Original = Worker
    globalThis.Worker = class extends Original {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(url, options)
        Object.assign(globalThis, { lastWorker: this })
      }
    }
  })
  await page.goto('/')
  await ask(page, 'Write a long story about a fish.')
  await expectState(page, /answering/)
  await page.evaluate(() => (globalThis as unknown as { lastWorker: Worker }).lastWorker.terminate())
  const alert = page.getByRole('alert')
  await expect(alert).toContainText('The model stopped unexpectedly.')
  await alert.getByRole('button', { name: 'Try again' }).click()
  await expectState(page, /answering/)
  await page.keyboard.press('Escape')
  await expectState(page, /stopped/, 2000)
})

test('works with one thread where the page is not isolated', async ({ page, plainSite }) => {
  await page.goto(plainSite.origin)
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
  await ask(page, CAPITAL)
  await expectState(page, /done/)
  await expect(turn(page).locator('.answer [part=text]')).toContainText('Paris')
  await expect(page.locator('#figures')).toContainText(/Threads\s*1/)
})

test('fits a phone of 320 pixels', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 568 })
  await page.goto('/')
  await ask(page, 'Repeat: Donaudampfschifffahrtsgesellschaftskapitaenskajuetentuerschluessel')
  await expectState(page, /done|cut/)
  const { scrollWidth, clientWidth } = await page.evaluate(() => {
    const { documentElement } = document
    return { scrollWidth: documentElement.scrollWidth, clientWidth: documentElement.clientWidth }
  })
  expect(scrollWidth).toBeLessThanOrEqual(clientWidth)
  await expect(page.getByRole('button', { name: 'Send' })).toBeInViewport({ ratio: 1 })
})
