import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from '@playwright/test'
import { findChromium } from '../scripts/find-chromium'
import { buildPages, MOUNTS } from './pages'
import { cpuSecondsOf } from './processes'
import { startStaticServer, type StaticServer } from './static-server'

/** A page with a renderer process of its own. */
export interface BenchPage {
  readonly page: Page
  readonly rendererPid: number
  close(): Promise<void>
}

/** One Chromium for all who run in the browser. */
export class BenchBrowser {
  readonly #browser: Browser
  readonly #server: StaticServer
  /** Renderers of open pages. */
  readonly #taken = new Set<number>()

  private constructor(browser: Browser, server: StaticServer) {
    this.#browser = browser
    this.#server = server
  }

  static async start(moreArgs: readonly string[] = []): Promise<BenchBrowser> {
    await buildPages()
    const server = await startStaticServer(MOUNTS)
    const { executablePath, args } = findChromium()
    const browser = await chromium.launch({ executablePath, args: [...args, ...moreArgs] })
    return new BenchBrowser(browser, server)
  }

  get version(): string {
    return this.#browser.version()
  }

  /** With caches of its own, all empty. */
  newContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    return this.#browser.newContext(options)
  }

  /**
   * In a context of its own (so its caches are empty) and a renderer of its own (so its memory and CPU time are
   * its own).
   */
  async openPage(): Promise<BenchPage> {
    const context = await this.#browser.newContext()
    const page = await context.newPage()
    page.on('pageerror', (error) => console.error('In the page:', error))
    await page.goto(`${this.#server.origin}/`)
    await page.waitForFunction(() => 'bench' in globalThis)
    if (!(await page.evaluate(() => bench.isolated())))
      throw new Error('The page is not cross-origin isolated')
    const rendererPid = await this.#rendererOf(page)
    const close = async (): Promise<void> => {
      await context.close()
      this.#taken.delete(rendererPid)
    }
    return { page, rendererPid, close }
  }

  async close(): Promise<void> {
    await this.#browser.close()
    await this.#server.close()
  }

  async #renderers(): Promise<number[]> {
    const session = await this.#browser.newBrowserCDPSession()
    const { processInfo } = await session.send('SystemInfo.getProcessInfo')
    await session.detach()
    return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id)
  }

  /**
   * No interface says which process a page is in (Chromium keeps spare renderers ready, so a new page need not be
   * in a new one): the page is made busy, and the renderer that then uses the processor is its own.
   */
  async #rendererOf(page: Page): Promise<number> {
    // Elsewhere nothing of it can be read, whatever its number.
    if (process.platform !== 'linux') return -1
    let candidate = -1
    for (let attempt = 0; attempt < 20; attempt++) {
      const busiest = await this.#busiestRenderer(page)
      // Twice in a row: a new browser has other renderers that are busy for a moment.
      if (busiest !== null && busiest === candidate) {
        if (this.#taken.has(busiest)) throw new Error('The page shares its renderer with another')
        this.#taken.add(busiest)
        return busiest
      }
      candidate = busiest ?? -1
    }
    throw new Error("The page's renderer can't be told from the others")
  }

  /** The one that uses most of the processor while the page is busy; null where none does. */
  async #busiestRenderer(page: Page): Promise<number | null> {
    const before = new Map((await this.#renderers()).map((pid) => [pid, cpuSecondsOf(pid) ?? 0]))
    await page.evaluate(() => {
      const end = performance.now() + 100
      while (performance.now() < end);
    })
    const spent = [...before].map(([pid, seconds]) => ({ pid, seconds: (cpuSecondsOf(pid) ?? 0) - seconds }))
    const all = spent.reduce((sum, { seconds }) => sum + seconds, 0)
    return spent.find(({ seconds }) => seconds > 0.8 * all)?.pid ?? null
  }
}
