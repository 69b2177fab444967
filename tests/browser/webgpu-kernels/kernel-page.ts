import { test as base } from '@playwright/test'
import { findChromium } from '../../../scripts/find-chromium'
import { runKernels, type RunKernels } from './run-kernels'

/** A page with one device, opened once: kernels alone, on Chromium's software adapter, against plain floats. */
export const test = base.extend<object, { runKernels: RunKernels }>({
  runKernels: [
    async ({ playwright }, use) => {
      const { executablePath, args } = findChromium()
      const browser = await playwright.chromium.launch({
        executablePath,
        args: [...args, '--enable-unsafe-webgpu'],
      })
      const page = await browser.newPage()
      // A page of a secure origin is all that WebGPU wants.
      await page.route('https://kernels.invalid/', (route) =>
        route.fulfill({ contentType: 'text/html', body: '<title>Kernels</title>' }),
      )
      await page.goto('https://kernels.invalid/')
      await use((run) => runKernels((work, given) => page.evaluate(work, given), run))
      await browser.close()
    },
    { scope: 'worker' },
  ],
})
