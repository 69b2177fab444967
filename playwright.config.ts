import { defineConfig } from '@playwright/test'
import { findChromium } from './scripts/find-chromium'

const PORT = 4173
const { executablePath, args } = findChromium()
// Playwright reads this file again in each of its workers: search once.
process.env['MINNOW_CHROMIUM'] = executablePath

export default defineConfig({
  testDir: 'tests',
  // Browsers with a model of 100 MB each: one at a time.
  workers: 1,
  fullyParallel: false,
  timeout: 120_000,
  forbidOnly: process.env['CI'] !== undefined,
  use: {
    baseURL: `http://localhost:${PORT}`,
    launchOptions: { executablePath, args: [...args] },
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'browser', testMatch: 'browser/**/*.spec.ts' },
    { name: 'e2e', testMatch: 'e2e/**/*.spec.ts' },
  ],
  webServer: {
    command: `npm run --silent preview -- --port ${PORT}`,
    url: `http://localhost:${PORT}`,
    reuseExistingServer: process.env['CI'] === undefined,
  },
})
