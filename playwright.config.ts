import { defineConfig } from '@playwright/test'
import { findChromium } from './scripts/find-chromium'

const { executablePath, args } = findChromium()
// Playwright reads this file again in each of its workers: search once.
process.env['MINNOW_CHROMIUM'] = executablePath

export default defineConfig({
  // The tests serve what they need themselves, on free ports: tests/e2e/site.ts.
  testDir: 'tests',
  // Browsers with a model of 100 MB each: one at a time.
  workers: 1,
  fullyParallel: false,
  timeout: 120_000,
  forbidOnly: process.env['CI'] !== undefined,
  use: {
    // Only tests/e2e/pwa*.spec.ts want it: it would fetch the whole page once more in every other test.
    serviceWorkers: 'block',
    launchOptions: { executablePath, args: [...args] },
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'browser', testMatch: 'browser/**/*.spec.ts' },
    { name: 'e2e', testMatch: 'e2e/**/*.spec.ts' },
  ],
})
