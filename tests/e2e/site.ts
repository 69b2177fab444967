import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, type Page } from '@playwright/test'
import { agreeToDownload } from '../../scripts/browse-site'
import { serve, type RunningServer } from '../../scripts/serve'

type Minnow = typeof import('../../src/index')

declare global {
  /** The library, in the harness page. */
  var minnow: Minnow
}

const ROOT = join(import.meta.dirname, '../..')
const MODEL = join(ROOT, 'models/smollm2-135m-instruct-q4_1')

/** The chunk that is damaged: one in the middle, so that a load is under way when it comes. */
export const DAMAGED_CHUNK = 5

interface Fixtures {
  /** Whether the visitor agreed to the download before. Default true. */
  agreed: boolean
  /** The harness page, where `minnow` is the library as published. */
  library: Page
  /** Origins requested by the test's pages and workers. */
  requestedOrigins: Set<string>
}

interface WorkerFixtures {
  site: RunningServer
  /** The same without the headers of cross-origin isolation. */
  plainSite: RunningServer
  faults: string
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  faults: [
    async ({}, use) => {
      const folder = mkdtempSync(join(tmpdir(), 'minnow-faults-'))
      makeFaults(folder)
      await use(folder)
      rmSync(folder, { recursive: true })
    },
    { scope: 'worker' },
  ],
  site: [
    async ({ faults }, use) => {
      const server = await serve({ mounts: mounts(faults) })
      await use(server)
      await server.close()
    },
    { scope: 'worker' },
  ],
  plainSite: [
    async ({ faults }, use) => {
      const server = await serve({ mounts: mounts(faults), isolated: false })
      await use(server)
      await server.close()
    },
    { scope: 'worker' },
  ],
  agreed: [true, { option: true }],
  context: async ({ context, agreed }, use) => {
    if (agreed) await agreeToDownload(context)
    await use(context)
  },
  baseURL: async ({ site }, use) => {
    await use(site.origin)
  },
  requestedOrigins: [
    async ({ context, site, plainSite }, use) => {
      const origins = new Set<string>()
      context.on('request', (request) => {
        origins.add(new URL(request.url()).origin)
      })
      await use(origins)
      origins.delete(site.origin)
      origins.delete(plainSite.origin)
      if (origins.size > 0) throw new Error(`requests went to ${[...origins].join(', ')}`)
    },
    { auto: true },
  ],
  library: async ({ page }, use) => {
    await openLibrary(page, '/harness/')
    await use(page)
  },
})

export { expect } from '@playwright/test'

export async function openLibrary(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.waitForFunction(() => 'minnow' in globalThis)
}

function mounts(faults: string): Record<string, string> {
  return {
    '/': join(ROOT, 'dist/site'),
    '/dist/': join(ROOT, 'dist'),
    '/models/': join(ROOT, 'models'),
    '/harness/': join(import.meta.dirname, 'harness'),
    '/faults/': faults,
  }
}

/** Models with one fault each, and the whole one as a single file. */
function makeFaults(folder: string): void {
  const chunks = readdirSync(MODEL)
    .filter((file) => file.endsWith('.bin'))
    .toSorted()
  const damaged = chunks[DAMAGED_CHUNK]
  if (damaged === undefined) throw new Error(`${MODEL} has ${chunks.length} chunks`)
  for (const fault of ['missing-chunk', 'wrong-hash']) {
    mkdirSync(join(folder, fault))
    for (const file of [...chunks, 'manifest.json']) {
      if (file !== damaged) link(join(MODEL, file), join(folder, fault, file))
    }
  }
  const bytes = readFileSync(join(MODEL, damaged))
  bytes[1000]! ^= 1
  writeFileSync(join(folder, 'wrong-hash', damaged), bytes)
  const whole = Buffer.concat(chunks.map((file) => readFileSync(join(MODEL, file))))
  writeFileSync(join(folder, 'whole.gguf'), whole)
  writeFileSync(join(folder, 'truncated.gguf'), whole.subarray(0, whole.length - 4096))
  writeFileSync(join(folder, 'cut-header.gguf'), whole.subarray(0, 4096))
  writeFileSync(join(folder, 'no-model.gguf'), 'this is a text')
}

function link(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch {
    writeFileSync(to, readFileSync(from))
  }
}
