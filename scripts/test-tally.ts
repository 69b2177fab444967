import { stripVTControlCharacters } from 'node:util'
import { z } from 'zod'

/** What a test runner found. */
export interface Tally {
  readonly passed: number
  /** Titles of tests that failed, with the first line of why; files and runs that broke outside of tests count too. */
  readonly failed: readonly string[]
  /** Titles of tests that did not run; none is skipped silently. */
  readonly skipped: readonly string[]
}

const VITEST_REPORT = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.optional(z.string()),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.optional(z.nullable(z.array(z.string()))),
        }),
      ),
    }),
  ),
})

/** Reads Vitest's JSON report (Jest's format). A file that does not load counts as one failed test. */
export function tallyOfVitest(report: unknown): Tally {
  const tallies = VITEST_REPORT.parse(report).testResults.map((file): Tally => {
    const tests = file.assertionResults
    const passed = tests.filter((test) => test.status === 'passed').length
    const failed = tests
      .filter((test) => test.status === 'failed')
      .map((test) => titleAndReason(test.fullName, test.failureMessages?.[0]))
    const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed')
    const didNotLoad = file.status === 'failed' && failed.length === 0
    return {
      passed,
      failed: didNotLoad ? [titleAndReason(file.name, file.message)] : failed,
      skipped: skipped.map((test) => test.fullName),
    }
  })
  return addTallies(tallies)
}

interface PlaywrightTest {
  status: string
  results?: { error?: { message?: string | undefined } | undefined }[] | undefined
}

interface PlaywrightSuite {
  title: string
  specs: { title: string; tests: PlaywrightTest[] }[]
  suites?: PlaywrightSuite[] | undefined
}

const PLAYWRIGHT_ERROR = z.object({ message: z.string().optional() })

const PLAYWRIGHT_TEST: z.ZodType<PlaywrightTest> = z.object({
  status: z.string(),
  results: z.array(z.object({ error: PLAYWRIGHT_ERROR.optional() })).optional(),
})

const PLAYWRIGHT_SUITE: z.ZodType<PlaywrightSuite> = z.object({
  title: z.string(),
  specs: z.array(z.object({ title: z.string(), tests: z.array(PLAYWRIGHT_TEST) })),
  get suites() {
    return z.array(PLAYWRIGHT_SUITE).optional()
  },
})

const PLAYWRIGHT_REPORT = z.object({ suites: z.array(PLAYWRIGHT_SUITE), errors: z.array(PLAYWRIGHT_ERROR) })

/** Reads Playwright's JSON report. An error outside of tests counts as one failed test. */
export function tallyOfPlaywright(report: unknown): Tally {
  const { suites, errors } = PLAYWRIGHT_REPORT.parse(report)
  const outside: Tally = {
    passed: 0,
    failed: errors.map(({ message }) => titleAndReason('outside of tests', message)),
    skipped: [],
  }
  return addTallies([...suites.map(tallyOfSuite), outside])
}

function tallyOfSuite(suite: PlaywrightSuite): Tally {
  const own = suite.specs.flatMap((spec) =>
    spec.tests.map(({ status, results }): Tally => {
      const title = `${suite.title} ${spec.title}`
      if (status === 'skipped') return { passed: 0, failed: [], skipped: [title] }
      if (status === 'expected') return { passed: 1, failed: [], skipped: [] }
      return { passed: 0, failed: [titleAndReason(title, results?.at(-1)?.error?.message)], skipped: [] }
    }),
  )
  return addTallies([...own, ...(suite.suites ?? []).map(tallyOfSuite)])
}

/** The sum of all. */
export function addTallies(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((sum, tally) => sum + tally.passed, 0),
    failed: tallies.flatMap((tally) => tally.failed),
    skipped: tallies.flatMap((tally) => tally.skipped),
  }
}

function titleAndReason(title: string, message: string | undefined): string {
  const [line = ''] = stripVTControlCharacters(message ?? '')
    .trim()
    .split('\n')
  return line === '' ? title : `${title}: ${line}`
}
