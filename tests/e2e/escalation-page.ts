import type { Page } from '@playwright/test'
import { scriptedAnswer } from '../remote-server/answers'
import { startRemoteServer, type RemoteServer } from '../remote-server/server'
import { expect, test as base } from './site'

export const KEY = 'sk-page-0123456789abcdef'
export const MODEL = 'bigger-model'
export const REMOTE_ANSWER = 'Paris. It has been the capital for a thousand years, or nearly so.'

interface Fixtures {
  /** All that the page wrote to the console. */
  printed: string[]
}

interface WorkerFixtures {
  /** Another origin with OpenAI's interface, which answers from a script. */
  remote: RemoteServer
}

/** The page, and a remote it may be told of. Other origins than these two must not be asked. */
export const test = base.extend<Fixtures, WorkerFixtures>({
  remote: [
    async ({}, use) => {
      const server = await startRemoteServer({
        answer: scriptedAnswer(REMOTE_ANSWER),
        model: MODEL,
        key: KEY,
      })
      await use(server)
      await server.close()
    },
    { scope: 'worker' },
  ],
  printed: [
    async ({ page, remote, requestedOrigins }, use) => {
      const lines: string[] = []
      page.on('console', (message) => lines.push(message.text()))
      page.on('pageerror', (error) => lines.push(String(error)))
      remote.faults.length = 0
      remote.requests.length = 0
      await use(lines)
      // What went there, the tests look at themselves.
      requestedOrigins.delete(new URL(remote.baseUrl).origin)
    },
    { auto: true },
  ],
})

export function lastTurn(page: Page) {
  return page.locator('.turn').last()
}

export function answer(page: Page) {
  return lastTurn(page).locator('.answer [part=text]')
}

export function badge(page: Page) {
  return lastTurn(page).locator('[part=badge]')
}

export async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel('Your question').fill(text)
  await page.keyboard.press('Enter')
}

/** Waits for the end of an answer. */
export async function settled(page: Page): Promise<void> {
  await expect(lastTurn(page)).toHaveAttribute('data-state', /done|cut/, { timeout: 60_000 })
}

export interface Choice {
  baseUrl: string
  mode?: string
  key?: string
  keepKey?: boolean
  price?: readonly [string, string]
  /** From which confidence on an answer of the device is taken. Default 0: always. */
  accept?: number
  /** Which answers people are to look at. */
  human?: 'always'
}

/** Fills in the settings, as a visitor would. */
export async function configure(
  page: Page,
  { baseUrl, mode, key = KEY, keepKey, price, accept = 0, human }: Choice,
): Promise<void> {
  // An error may have such a button, too.
  await page.getByRole('navigation').getByRole('button', { name: 'Settings' }).click()
  const dialog = page.getByRole('dialog', { name: 'Settings' })
  if (mode !== undefined) await dialog.getByRole('radio', { name: mode }).check()
  await dialog.getByRole('combobox', { name: 'Address', exact: true }).fill(baseUrl)
  await dialog.getByRole('combobox', { name: 'Model', exact: true }).fill(MODEL)
  await dialog.getByLabel('Key', { exact: true }).fill(key)
  if (keepKey === true) await dialog.getByRole('checkbox', { name: /Remember the key/ }).check()
  if (price !== undefined) {
    await dialog.getByLabel('Price of a million tokens read').fill(price[0])
    await dialog.getByLabel('Price of a million tokens written').fill(price[1])
  }
  const policy = dialog.getByRole('textbox', { name: 'The policy as JSON' })
  // Once opened it stays so.
  if (!(await policy.isVisible())) await dialog.getByText('The policy as JSON').first().click()
  const written = JSON.parse(await policy.inputValue()) as Record<string, unknown>
  await policy.fill(JSON.stringify({ ...written, accept, ...(human && { human }) }))
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog).toBeHidden()
}

export async function consent(page: Page, answered: string): Promise<void> {
  const dialog = page.getByRole('dialog', { name: /Send this to/ })
  await dialog.getByRole('button', { name: answered }).click()
  await expect(dialog).toBeHidden()
}

export async function askBigger(page: Page): Promise<void> {
  await lastTurn(page).getByRole('button', { name: 'Ask the bigger model' }).click()
}

/** Answers like the last one, with thumbs for them, as they would be kept after so many questions. */
export async function judgeLike(
  page: Page,
  { answers, good, confidence }: { answers: number; good: number; confidence: number },
): Promise<void> {
  await page.evaluate(
    async (given) => {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open('minnow-router')
        request.addEventListener('success', () => resolve(request.result))
        request.addEventListener('error', () => reject(new Error(String(request.error))))
      })
      const change = database.transaction(['ledger', 'feedback'], 'readwrite')
      const ledger = change.objectStore('ledger')
      const last = ledger.index('at').openCursor(null, 'prev')
      last.addEventListener('success', () => {
        const like = last.result?.value as { at: number; user: string }
        for (let n = 0; n < given.answers; n++) {
          const judged = { at: like.at, user: like.user, confidence: given.confidence }
          ledger.put({ ...like, ...judged, id: `answer-${n}` })
          const kind = n < given.good ? 'up' : 'down'
          const said = { entry: `answer-${n}`, kind, text: null, task: null, source: 'local' }
          change.objectStore('feedback').put({ ...judged, ...said, id: `said-${n}` })
        }
      })
      await new Promise((resolve, reject) => {
        change.addEventListener('complete', resolve)
        change.addEventListener('abort', () => reject(new Error(String(change.error))))
      })
      database.close()
    },
    { answers, good, confidence },
  )
}

/** Everything a visitor of this browser could find: documents with their shadows, what stands in fields, all storage. */
export function everythingKept(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const found: string[] = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie]
    const walk = (root: Document | ShadowRoot): void => {
      for (const element of root.querySelectorAll('*')) {
        found.push(...[...element.attributes].map(({ value }) => value))
        if ('value' in element) found.push(String(element.value))
        if (element.shadowRoot !== null) walk(element.shadowRoot)
      }
      found.push(root.textContent ?? '')
    }
    walk(document)
    const whenDone = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.addEventListener('success', () => resolve(request.result))
        request.addEventListener('error', () => reject(new Error(String(request.error))))
      })
    for (const { name } of await indexedDB.databases()) {
      const database = await whenDone(indexedDB.open(name!))
      for (const store of database.objectStoreNames) {
        found.push(JSON.stringify(await whenDone(database.transaction(store).objectStore(store).getAll())))
      }
      database.close()
    }
    return found.join('\n')
  })
}

/** How many rows the router keeps, of any kind. */
export function routerRows(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const whenDone = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.addEventListener('success', () => resolve(request.result))
        request.addEventListener('error', () => reject(new Error(String(request.error))))
      })
    const database = await whenDone(indexedDB.open('minnow-router'))
    let rows = 0
    for (const store of database.objectStoreNames) {
      rows += await whenDone(database.transaction(store).objectStore(store).count())
    }
    database.close()
    return rows
  })
}

/** What was said of answers. */
export function feedbackOf(page: Page): Promise<unknown[]> {
  return page.evaluate(
    () =>
      new Promise<unknown[]>((resolve, reject) => {
        const opened = indexedDB.open('minnow-router')
        opened.addEventListener('success', () => {
          const rows = opened.result.transaction('feedback').objectStore('feedback').getAll()
          rows.addEventListener('success', () => {
            opened.result.close()
            resolve(rows.result)
          })
        })
        opened.addEventListener('error', () => reject(new Error(String(opened.error))))
      }),
  )
}
