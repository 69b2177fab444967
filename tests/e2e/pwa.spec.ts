/** The page as a program of its own: installed, isolated, offline, updated. Real servers, a real service worker. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test as base, type Page } from '@playwright/test'
import { SITE_FOLDER } from '../../scripts/browse-site'
import { serve, type RunningServer } from '../../scripts/serve'

interface Fixtures {
  /** In a folder of its host, which sends no headers of isolation. */
  plainHost: RunningServer
}

const SUB_PATH = '/some/folder/'

const test = base.extend<Fixtures>({
  plainHost: async ({}, use) => {
    const server = await serve({ mounts: { [SUB_PATH]: SITE_FOLDER }, isolated: false })
    await use(server)
    await server.close()
  },
})

test.use({ serviceWorkers: 'allow' })

async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel('Your question').fill(text)
  await page.keyboard.press('Enter')
}

async function expectState(page: Page, state: RegExp, timeout = 60_000): Promise<void> {
  await expect(page.locator('.turn').last()).toHaveAttribute('data-state', state, { timeout })
}

/** Until the service worker holds all files and answers for this page. */
async function waitForControl(page: Page): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated')
}

test('on a host without headers, in a folder: isolated after one reload, with threads', async ({
  page,
  plainHost,
}) => {
  let loads = 0
  page.on('load', () => loads++)
  // By default all cores but one compute, and this machine may have two.
  page.on('worker', (worker) => {
    if (!/\/worker-[^/]+$/.test(worker.url())) return
    worker
      .evaluate(() => Object.defineProperty(navigator, 'hardwareConcurrency', { value: 4 }))
      // The first worker ends with the first load.
      .catch(() => undefined)
  })
  await page.goto(plainHost.origin + SUB_PATH)
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
  await page.waitForFunction(() => crossOriginIsolated)
  await waitForControl(page)
  await ask(page, 'What is the capital of France? Answer in one sentence.')
  await expectState(page, /done|cut/)
  await expect(page.locator('#figures dt', { hasText: 'Threads' }).locator('+ dd')).toHaveText('3')
  expect(loads).toBe(2)

  // Another origin, asked as a remote is: isolation does not stand in its way.
  const remote = createServer((request, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.end(`asked by ${request.headers.origin}`)
  }).listen(0)
  const url = `http://localhost:${(remote.address() as AddressInfo).port}/`
  const answer = await page.evaluate(async (address) => (await fetch(address)).text(), url)
  expect(answer).toBe(`asked by ${plainHost.origin}`)
  remote.close()
})

test('no reload for isolation under what is written or asked', async ({ page, plainHost }) => {
  let loads = 0
  page.on('load', () => loads++)
  await page.goto(plainHost.origin + SUB_PATH)
  await page.getByLabel('Your question').fill('What is')
  await waitForControl(page)
  await expect(page.getByLabel('Your question')).toHaveValue('What is')
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
  expect(loads).toBe(1)
  await page.reload()
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
})
