import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test as base, type Page } from '@playwright/test'
import { build } from 'vite'
import { serve } from '../../scripts/serve'
import { decodeRecording, type Recording } from '../conformance/recording'
import type { SessionStep, StepResult } from './backend-page/session-script'
import type { BackendFacts, ForcedCase, PageBackend, PageModel } from './backend-page/backend-worker'

const ROOT = join(import.meta.dirname, '../..')
const PAGE = join(ROOT, 'build/backend-page')
export const smolLm2: PageModel = { manifestUrl: '/models/smollm2-135m-instruct-q4_1/manifest.json' }

interface WorkerFixtures {
  origins: { isolated: string; plain: string }
}

/** A page with the backends, built once; isolated from other origins, as threads need it. */
export const test = base.extend<{ isolatedPage: Page }, WorkerFixtures>({
  origins: [
    async ({}, use) => {
      await build({
        configFile: false,
        root: join(import.meta.dirname, 'backend-page'),
        base: './',
        logLevel: 'warn',
        build: { outDir: PAGE, emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0 },
        worker: { format: 'es' },
      })
      const mounts = { '/': PAGE, '/models/': join(ROOT, 'models') }
      const isolated = await serve({ mounts })
      const plain = await serve({ mounts, isolated: false })
      await use({ isolated: isolated.origin, plain: plain.origin })
      await isolated.close()
      await plain.close()
    },
    { scope: 'worker' },
  ],
  isolatedPage: async ({ page, origins }, use) => {
    await openPage(page, origins.isolated)
    await use(page)
  },
})

export async function openPage(page: Page, origin: string): Promise<void> {
  await page.goto(origin)
  await page.waitForFunction(() => 'backendPage' in globalThis)
}

/** Opens a backend in the page, in place of the one before. */
export async function openBackend(page: Page, model: PageModel, backend: PageBackend): Promise<BackendFacts> {
  return page.evaluate(
    (choice: { model: PageModel; backend: PageBackend }) => backendPage.open(choice.model, choice.backend),
    { model, backend },
  )
}

export async function runSteps(
  page: Page,
  contextLength: number,
  steps: SessionStep[],
): Promise<StepResult[]> {
  return page.evaluate(
    (session: { contextLength: number; steps: SessionStep[] }) =>
      backendPage.run(session.contextLength, session.steps),
    { contextLength, steps },
  )
}

export async function readRecording(name: 'native' | 'reference'): Promise<Recording> {
  const path = join(ROOT, `tests/conformance/recorded/smollm2-${name}.json`)
  return decodeRecording(await readFile(path, 'utf8'))
}

/** As plain arrays, which cross into the page. */
export function forcedCases(recording: Recording, prompts: number): ForcedCase[] {
  return recording.cases.slice(0, prompts).map(({ tokens, steps }) => ({
    tokens: [...tokens],
    steps: steps.map(({ ids, logprobs }) => ({ ids: Array.from(ids ?? []), logprobs: Array.from(logprobs) })),
  }))
}
