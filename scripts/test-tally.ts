import { z } from 'zod'

/** What a test runner found. */
export interface Tally {
  readonly passed: number
  readonly failed: number
  /** Titles of tests that did not run; none is skipped silently. */
  readonly skipped: readonly string[]
}

const VITEST_REPORT = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
})

/** Reads Vitest's JSON report (Jest's format). A file that does not load counts as one failed test. */
export function tallyOfVitest(report: unknown): Tally {
  const tallies = VITEST_REPORT.parse(report).testResults.map((file): Tally => {
    const tests = file.assertionResults
    const passed = tests.filter((test) => test.status === 'passed').length
    const failed = tests.filter((test) => test.status === 'failed').length
    const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed')
    const failedToLoad = file.status === 'failed' && failed === 0 ? 1 : 0
    return { passed, failed: failed + failedToLoad, skipped: skipped.map((test) => test.fullName) }
  })
  return addTallies(tallies)
}

interface PlaywrightSuite {
  title: string
  specs: { title: string; tests: { status: string }[] }[]
  suites?: PlaywrightSuite[] | undefined
}

const PLAYWRIGHT_SUITE: z.ZodType<PlaywrightSuite> = z.object({
  title: z.string(),
  specs: z.array(z.object({ title: z.string(), tests: z.array(z.object({ status: z.string() })) })),
  get suites() {
    return z.array(PLAYWRIGHT_SUITE).optional()
  },
})

const PLAYWRIGHT_REPORT = z.object({ suites: z.array(PLAYWRIGHT_SUITE), errors: z.array(z.unknown()) })

/** Reads Playwright's JSON report. An error outside of tests counts as one failed test. */
export function tallyOfPlaywright(report: unknown): Tally {
  const { suites, errors } = PLAYWRIGHT_REPORT.parse(report)
  const outside: Tally = { passed: 0, failed: errors.length, skipped: [] }
  return addTallies([...suites.map(tallyOfSuite), outside])
}

function tallyOfSuite(suite: PlaywrightSuite): Tally {
  const own = suite.specs.flatMap((spec) =>
    spec.tests.map(({ status }): Tally => {
      if (status === 'skipped') return { passed: 0, failed: 0, skipped: [`${suite.title} ${spec.title}`] }
      return status === 'expected'
        ? { passed: 1, failed: 0, skipped: [] }
        : { passed: 0, failed: 1, skipped: [] }
    }),
  )
  return addTallies([...own, ...(suite.suites ?? []).map(tallyOfSuite)])
}

/** The sum of all. */
export function addTallies(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((sum, tally) => sum + tally.passed, 0),
    failed: tallies.reduce((sum, tally) => sum + tally.failed, 0),
    skipped: tallies.flatMap((tally) => tally.skipped),
  }
}
