/** The page as a program of its own: installed, isolated, offline, updated. Real servers, a real service worker. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, expect, test as base, type BrowserContext, type Page } from '@playwright/test'
import { SITE_FOLDER } from '../../scripts/browse-site'
import { serve, type RunningServer } from '../../scripts/serve'
import { tinyModel } from '../fixtures/tiny-models'

interface Fixtures {
  /** In a folder of its host, which sends no headers of isolation. */
  plainHost: RunningServer
}

const ENGINE_WORKER = /\/worker-[^/]+$/
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

/** Agrees to the download, on the first visit. */
async function agree(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Download/ }).click()
}

async function expectState(page: Page, state: RegExp, timeout = 60_000): Promise<void> {
  await expect(page.locator('.turn').last()).toHaveAttribute('data-state', state, { timeout })
}

/** Collects requests to other origins, and what pages and workers report of broken policies. */
async function watch(context: BrowserContext, origin: string): Promise<string[]> {
  const faults: string[] = []
  context.on('request', (request) => {
    const from = new URL(request.url()).origin
    if (from !== origin && from !== 'null') faults.push(`request to ${request.url()}`)
  })
  context.on('console', (message) => {
    if (/content security policy|trusted ?(types?|html|script)/i.test(message.text()))
      faults.push(message.text())
  })
  await context.exposeFunction('noteViolation', (violation: string) => faults.push(violation))
  await context.addInitScript(() => {
    const { noteViolation } = globalThis as unknown as { noteViolation(violation: string): void }
    document.addEventListener('securitypolicyviolation', (event) =>
      noteViolation(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`),
    )
  })
  return faults
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
    if (!ENGINE_WORKER.test(worker.url())) return
    worker
      .evaluate(() => Object.defineProperty(navigator, 'hardwareConcurrency', { value: 4 }))
      // The first worker ends with the first load.
      .catch(() => undefined)
  })
  await page.goto(plainHost.origin + SUB_PATH)
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
  await page.waitForFunction(() => crossOriginIsolated)
  await waitForControl(page)
  await agree(page)
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
  // The model's worker may not, though the host sent no policy for it.
  const engine = page.workers().findLast((worker) => ENGINE_WORKER.test(worker.url()))!
  const refusal = await engine.evaluate(async (address) => fetch(address).then(String, String), url)
  expect(refusal).toContain('TypeError')
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

test('a whole session, then the server stopped: answers, asks no other origin, breaks no policy', async ({
  page,
  context,
  plainHost,
}) => {
  const faults = await watch(context, plainHost.origin)
  const fromWorker: string[] = []
  const models: boolean[] = []
  page.on('response', (response) => {
    const { pathname } = new URL(response.url())
    if (pathname.includes('/models/')) models.push(response.fromServiceWorker())
    else if (response.fromServiceWorker()) fromWorker.push(pathname)
  })
  await page.goto(plainHost.origin + SUB_PATH)
  await page.waitForFunction(() => crossOriginIsolated)
  await waitForControl(page)
  await agree(page)
  await ask(page, 'What is the capital of France? Answer in one sentence.')
  await expectState(page, /done|cut/)
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('button', { name: 'Usage and costs' }).click()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  // The store reads what it keeps, the service worker has no part in it.
  expect(models.length).toBeGreaterThan(0)
  expect(models).not.toContain(true)

  // Every file of the page is kept, also those not wanted so far.
  const files = readdirSync(SITE_FOLDER, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(html|js|css|wasm|svg|png|webmanifest)$/.test(file),
  )
  const missing = await page.evaluate(
    async (names) => {
      const found = await Promise.all(names.map((name) => caches.match(name, { ignoreSearch: true })))
      return names.filter((_, index) => found[index] === undefined)
    },
    files.map((file) => file.replaceAll('\\', '/')),
  )
  const notOfThePage =
    /^(bench\.html|service-worker\.js|assets\/(bench|judge-worker)-.*|(models|screenshots)\/.*)$/
  expect(missing.filter((name) => !notOfThePage.test(name))).toEqual([])
  expect(missing).toContain('bench.html')

  await plainHost.close()
  await context.setOffline(true)
  fromWorker.length = 0
  await page.reload()
  await expect(page.getByText('offline', { exact: true })).toBeVisible()
  // The conversation is there again; another one is begun.
  await expect(page.locator('.turn').last()).toContainText('Paris')
  await page.getByRole('button', { name: 'New conversation' }).first().click()
  await ask(page, 'What is the capital of Italy?')
  await expectState(page, /done|cut/)
  expect(fromWorker.some((path) => path.endsWith('.wasm'))).toBe(true)
  // Parts that were not shown before the network went.
  await page.goto(`${plainHost.origin}${SUB_PATH}nothing/here`)
  await expect(page).toHaveURL(plainHost.origin + SUB_PATH)
  await context.setOffline(false)
  await expect(page.getByText('offline', { exact: true })).toBeHidden()
  expect(faults).toEqual([])
})

test('a new version waits for the answer, and keeps what is written', async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), 'minnow-versions-'))
  cpSync(SITE_FOLDER, folder, {
    recursive: true,
    filter: (path) => !path.startsWith(join(SITE_FOLDER, 'models')),
  })
  const server = await serve({ mounts: { '/': folder, '/models/': join(SITE_FOLDER, 'models') } })
  try {
    await page.goto(server.origin)
    await waitForControl(page)
    await agree(page)
    await ask(page, 'Write a long story about a fish.')
    await expectState(page, /answering/)
    publishNewVersion(folder)
    await page.evaluate(async () => {
      await (await navigator.serviceWorker.getRegistration())?.update()
    })
    await expect(page.getByText('A new version is ready.')).toBeVisible()
    await page.getByRole('button', { name: 'Restart' }).click()
    await page.getByLabel('Your question').fill('And then?')
    await expect(page.getByText('It starts when the answer is complete.')).toBeVisible()
    await expectState(page, /answering/)
    expect(await versionOf(page)).toBe(null)

    await page.keyboard.press('Escape')
    await expect.poll(() => versionOf(page)).toBe('new')
    await expect(page.getByLabel('Your question')).toHaveValue('And then?')
  } finally {
    await server.close()
    rmSync(folder, { recursive: true })
  }
})

/** Another index.html, and a service worker that knows of it. */
function publishNewVersion(folder: string): void {
  const edit = (file: string, change: (text: string) => string): void => {
    const before = readFileSync(join(folder, file), 'utf8')
    const after = change(before)
    expect(after).not.toBe(before)
    writeFileSync(join(folder, file), after)
  }
  edit('index.html', (html) => html.replace('<html', '<html data-version="new"'))
  edit('service-worker.js', (code) =>
    code.replace(
      /(["`']?revision["`']?:\s*["`'])\w+(["`'],\s*["`']?url["`']?:\s*["`']index\.html)/,
      '$1new$2',
    ),
  )
}

async function versionOf(page: Page): Promise<string | null> {
  // While it reloads there is no page to ask.
  return page.locator('html').getAttribute('data-version', { timeout: 5000 })
}

test('can be installed, from the folder it lies in', async ({ plainHost }) => {
  const profile = mkdtempSync(join(tmpdir(), 'minnow-profile-'))
  const { launchOptions } = test.info().project.use
  // Chromium installs nothing from a private window, as tests' pages are.
  const context = await chromium.launchPersistentContext(profile, launchOptions)
  try {
    const page = await context.newPage()
    await page.goto(plainHost.origin + SUB_PATH)
    // By then it has been loaded again.
    await page.waitForFunction(() => crossOriginIsolated)
    const devTools = await context.newCDPSession(page)
    const { errors, manifest, url } = await devTools.send('Page.getAppManifest')
    expect(errors).toEqual([])
    expect(url).toBe(`${plainHost.origin}${SUB_PATH}manifest.webmanifest`)
    expect(manifest).toMatchObject({
      scope: plainHost.origin + SUB_PATH,
      startUrl: plainHost.origin + SUB_PATH,
      shareTarget: { action: `${plainHost.origin}${SUB_PATH}share` },
    })
    expect(manifest.shortcuts).toHaveLength(1)
    const { installabilityErrors } = await devTools.send('Page.getInstallabilityErrors')
    expect(installabilityErrors).toEqual([])
  } finally {
    await context.close()
    rmSync(profile, { recursive: true })
  }
})

test('what other programs share comes into the composer, files to the documents', async ({ page }) => {
  // Systems share by the same POST as a form does. Of another origin's form, Chromium gives service workers no files.
  const sharer = mkdtempSync(join(tmpdir(), 'minnow-sharer-'))
  writeFileSync(
    join(sharer, 'index.html'),
    `<meta http-equiv="Content-Security-Policy" content="form-action 'self'">
    <form method="post" enctype="multipart/form-data" action="${SUB_PATH}share">
      <input name="title" value="A title"><input name="text" value="Some text"><input name="url" value="">
      <input name="files" type="file"><button>Share</button>
    </form>`,
  )
  const server = await serve({ mounts: { [SUB_PATH]: SITE_FOLDER, '/sharer/': sharer } })
  try {
    await page.goto(server.origin + SUB_PATH)
    await waitForControl(page)
    await page.goto(`${server.origin}/sharer/`)
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'näme.txt', mimeType: 'text/plain', buffer: Buffer.from('Text of a file') })
    await page.getByRole('button', { name: 'Share' }).click()
    await expect(page).toHaveURL(server.origin + SUB_PATH)
    await expect(page.getByLabel('Your question')).toHaveValue('A title\nSome text')
    await expect(page.getByTitle('Show näme.txt')).toBeVisible()
    await page.reload()
    await expect(page.getByLabel('Your question')).not.toHaveValue(/Some text/)
  } finally {
    await server.close()
    rmSync(sharer, { recursive: true })
  }
})

test('a model opened with the page is kept, and answers', async ({ page, plainHost }) => {
  // What systems do when a file is opened with an installed program.
  await page.addInitScript(() => {
    const queue = {
      setConsumer(consumer: unknown) {
        Object.assign(globalThis, { launch: consumer })
      },
    }
    Object.defineProperty(globalThis, 'launchQueue', { value: queue })
  })
  await page.goto(plainHost.origin + SUB_PATH)
  await page.waitForFunction(() => crossOriginIsolated)
  const open = (name: string, bytes: Uint8Array): Promise<void> =>
    page.evaluate(
      ([fileName, base64]) => {
        const { launch } = globalThis as unknown as { launch(params: object): void }
        const content = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
        launch({ files: [{ getFile: () => Promise.resolve(new File([content], fileName)) }] })
      },
      [name, Buffer.from(bytes).toString('base64')] as const,
    )
  await open('tiny.gguf', tinyModel({ architecture: 'llama', type: 'Q8_0' }))
  const dialog = page.getByRole('dialog')
  await expect(dialog).toContainText('tiny')
  await dialog.getByRole('button', { name: 'Use' }).click()
  await page.keyboard.press('Escape')
  await ask(page, 'Anything')
  await expectState(page, /done|cut/)
})

test('nothing but own scripts run: Trusted Types and the policy are enforced', async ({
  page,
  plainHost,
}) => {
  await page.goto(plainHost.origin + SUB_PATH)
  const names = await page.evaluate(async () => {
    // What is evaluated for a debugger may eval(); what comes after may not.
    await new Promise((resolve) => setTimeout(resolve, 0))
    const attempts: (() => unknown)[] = [
      () => (document.body.innerHTML = '<b>text</b>'),
      () => new Worker('https://example.org/worker.js'),
      () => new Worker('data:text/javascript,'),
      // oxlint-disable-next-line eslint/no-eval -- that it is refused is what is tested
      () => void eval('1'),
      () => (globalThis as unknown as { trustedTypes: TrustedTypes }).trustedTypes.createPolicy('other', {}),
    ]
    return attempts.map((attempt) => {
      try {
        attempt()
        return 'done'
      } catch (error) {
        return (error as Error).name
      }
    })
  })
  expect(names).toEqual(['TypeError', 'TypeError', 'TypeError', 'EvalError', 'TypeError'])
  const inline = await page.evaluate(() => {
    const script = document.createElement('script')
    script.append('globalThis.hasRun = true')
    document.body.append(script)
    return 'hasRun' in globalThis
  })
  expect(inline).toBe(false)
})

interface TrustedTypes {
  createPolicy(name: string, rules: object): unknown
}
