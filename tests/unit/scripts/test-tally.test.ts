import { describe, expect, it } from 'vitest'
import { addTallies, tallyOfPlaywright, tallyOfVitest } from '../../../scripts/test-tally'

describe('tallyOfVitest', () => {
  it('counts tests of all files and names the skipped ones', () => {
    const report = {
      testResults: [
        {
          name: 'a.test.ts',
          status: 'failed',
          assertionResults: [
            { fullName: 'a works', status: 'passed' },
            { fullName: 'a breaks', status: 'failed' },
          ],
        },
        {
          name: 'b.test.ts',
          status: 'passed',
          assertionResults: [{ fullName: 'b waits', status: 'skipped' }],
        },
      ],
    }
    expect(tallyOfVitest(report)).toEqual({ passed: 1, failed: 1, skipped: ['b waits'] })
  })

  it('counts a file that does not load as a failure', () => {
    const report = { testResults: [{ name: 'a.test.ts', status: 'failed', assertionResults: [] }] }
    expect(tallyOfVitest(report)).toEqual({ passed: 0, failed: 1, skipped: [] })
  })

  it('refuses what is not a report', () => {
    expect(() => tallyOfVitest({})).toThrow(/testResults/)
  })
})

describe('tallyOfPlaywright', () => {
  it('counts nested suites; a flaky test is a failure', () => {
    const report = {
      errors: [],
      suites: [
        {
          title: 'page.spec.ts',
          specs: [{ title: 'answers', tests: [{ status: 'expected' }] }],
          suites: [
            {
              title: 'stop',
              specs: [
                { title: 'button', tests: [{ status: 'flaky' }] },
                { title: 'key', tests: [{ status: 'unexpected' }, { status: 'skipped' }] },
              ],
            },
          ],
        },
      ],
    }
    expect(tallyOfPlaywright(report)).toEqual({ passed: 1, failed: 2, skipped: ['stop key'] })
  })

  it('counts errors outside of tests', () => {
    expect(tallyOfPlaywright({ errors: [{ message: 'no server' }], suites: [] }).failed).toBe(1)
  })
})

describe('addTallies', () => {
  it('gives zeros for nothing', () => {
    expect(addTallies([])).toEqual({ passed: 0, failed: 0, skipped: [] })
  })
})
