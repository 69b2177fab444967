import { describe, expect, it } from 'vitest'
import type { LoadProgress } from '../../src/contract/engine'
import { createProgress } from '../../src/worker/load-progress'

function record(run: (progress: ReturnType<typeof createProgress>) => void): LoadProgress[] {
  const reports: LoadProgress[] = []
  run(createProgress((report) => reports.push(report)))
  return reports
}

function expectMonotone(reports: readonly LoadProgress[]): void {
  for (let index = 1; index < reports.length; index++) {
    expect(reports[index]!.fraction).toBeGreaterThanOrEqual(reports[index - 1]!.fraction)
  }
  expect(reports.at(-1)).toMatchObject({ phase: 'ready', fraction: 1 })
}

describe('createProgress', () => {
  it('joins download and load into one growing fraction', () => {
    const reports = record((progress) => {
      for (let chunk = 1; chunk <= 4; chunk++) {
        progress.downloaded({ file: `chunk-${chunk}`, loadedBytes: chunk * 25, totalBytes: 100 })
        progress.loaded(chunk * 20, 80)
      }
      progress.ready()
    })
    expectMonotone(reports)
    expect(reports[0]).toMatchObject({ phase: 'download', file: 'chunk-1', loadedBytes: 25, totalBytes: 100 })
    expect(reports.map(({ phase }) => phase)).toEqual([
      'download',
      'download',
      'download',
      'download',
      'load',
      'ready',
    ])
    for (const { fraction } of reports.slice(0, -2)) expect(fraction).toBeLessThan(1)
  })

  it('gives loading the whole bar where nothing is fetched', () => {
    const reports = record((progress) => {
      progress.loaded(40, 80)
      progress.loaded(80, 80)
      progress.ready()
    })
    expectMonotone(reports)
    expect(reports[0]).toMatchObject({ phase: 'load', fraction: 0.5 })
  })

  it('stays within 0…1 and never falls for counters that jump', () => {
    const reports = record((progress) => {
      progress.loaded(70, 80)
      progress.downloaded({ file: 'a', loadedBytes: 10, totalBytes: 100 })
      progress.downloaded({ file: 'a', loadedBytes: 500, totalBytes: 100 })
      progress.downloaded({ file: 'a', loadedBytes: 20, totalBytes: 100 })
      progress.loaded(0, 0)
      progress.ready()
    })
    expectMonotone(reports)
    for (const { fraction } of reports) expect(fraction).toBeLessThanOrEqual(1)
  })
})
