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
            {
              fullName: 'a breaks',
              status: 'failed',
              failureMessages: ['\u001B[31mError\u001B[0m: no fish\n  at a'],
            },
          ],
        },
        {
          name: 'b.test.ts',
          status: 'passed',
          assertionResults: [{ fullName: 'b waits', status: 'skipped' }],
        },
      ],
    }
    expect(tallyOfVitest(report)).toEqual({
      passed: 1,
      failed: ['a breaks: Error: no fish'],
      skipped: ['b waits'],
    })
  })

  it('counts a file that does not load as a failure', () => {
    const report = {
      testResults: [{ name: 'a.test.ts', status: 'failed', message: 'no such import', assertionResults: [] }],
    }
    expect(tallyOfVitest(report)).toEqual({ passed: 0, failed: ['a.test.ts: no such import'], skipped: [] })
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
                {
                  title: 'key',
                  tests: [
                    { status: 'unexpected', results: [{ error: { message: 'a timeout' } }] },
                    { status: 'skipped' },
                  ],
                },
              ],
            },
          ],
        },
      ],
    }
    expect(tallyOfPlaywright(report)).toEqual({
      passed: 1,
      failed: ['stop button', 'stop key: a timeout'],
      skipped: ['stop key'],
    })
  })

  it('counts errors outside of tests', () => {
    expect(tallyOfPlaywright({ errors: [{ message: 'no server' }], suites: [] }).failed).toEqual([
      'outside of tests: no server',
    ])
  })
})

describe('addTallies', () => {
  it('gives zeros for nothing', () => {
    expect(addTallies([])).toEqual({ passed: 0, failed: [], skipped: [] })
  })
})
