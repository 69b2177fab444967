import { createServer } from 'node:http'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { serve, type RunningServer } from '../../scripts/serve'
import { expect, test as base } from './site'

const ROOT = join(import.meta.dirname, '../..')

/** A page of another origin that embeds the widget. */
export interface HostPage {
  /** Markup of its body. */
  readonly body: string
  /** Of its Content-Security-Policy; default: none. */
  readonly policy?: string
}

interface Fixtures {
  /** Puts a page on the other origin and opens it. `MINNOW` in it stands for Minnow's origin. */
  openHost(hostPage: HostPage, page?: Page): Promise<Page>
}

interface WorkerFixtures {
  /** Scripts, models and `embed.html`, for any origin. */
  minnowSite: RunningServer
  hostSite: RunningServer & { page: HostPage }
}

/** A page that embeds Minnow, and Minnow, on two origins. Neither is cross-origin isolated. */
export const test = base.extend<Fixtures, WorkerFixtures>({
  minnowSite: [
    async ({}, use) => {
      const mounts = { '/dist/': join(ROOT, 'dist'), '/models/': join(ROOT, 'models') }
      const server = await serve({ mounts, isolated: false, shared: true })
      await use(server)
      await server.close()
    },
    { scope: 'worker' },
  ],
  hostSite: [
    async ({ minnowSite }, use) => {
      const host = { page: { body: '' } as HostPage }
      const fill = (text: string): string => text.replaceAll('MINNOW', minnowSite.origin)
      const server = createServer((request, response) => {
        if (request.url !== '/') {
          response.writeHead(404).end()
          return
        }
        const { body, policy } = host.page
        if (policy !== undefined) response.setHeader('Content-Security-Policy', fill(policy))
        response.setHeader('Content-Type', 'text/html; charset=utf-8')
        response.end(`<!doctype html><html lang="en"><head><title>A shop</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<script type="module" src="${minnowSite.origin}/dist/widget.js"></script></head><body>${fill(body)}</body></html>`)
      })
      await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
      const address = server.address()
      if (typeof address !== 'object' || address === null) throw new Error('the host page has no port')
      await use(
        Object.assign(host, { origin: `http://localhost:${address.port}`, close: async () => undefined }),
      )
      server.close()
      server.closeAllConnections()
    },
    { scope: 'worker' },
  ],
  openHost: async ({ hostSite, minnowSite, requestedOrigins, page }, use) => {
    await use(async (hostPage, target = page) => {
      hostSite.page = hostPage
      await target.goto(hostSite.origin)
      return target
    })
    for (const { origin } of [hostSite, minnowSite]) requestedOrigins.delete(origin)
    requestedOrigins.delete('null')
  },
})

export { expect }

export const QUESTION = 'What is the capital of France? Answer in one sentence.'

/** Opens the widget by its button, asks, and waits for the answer's end. */
export async function askWidget(
  page: Page,
  question = QUESTION,
  widget = page.locator('minnow-chat'),
): Promise<void> {
  const input = widget.getByLabel('Your question')
  if (!(await input.isVisible())) await widget.locator('[part=button]').click()
  await input.fill(question)
  await input.press('Enter')
  // A failure is told at once, in its own words.
  const end = widget.locator('.turn:last-child:is([data-state=done], [data-state=cut], [data-state=failed])')
  await end.waitFor({ timeout: 60_000 })
  expect(await widget.getByRole('alert').allInnerTexts()).toEqual([])
  await expect(widget.locator('.turn').last()).toHaveAttribute('data-state', /done|cut/, { timeout: 60_000 })
}
