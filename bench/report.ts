import { cpus, loadavg, platform, release, totalmem } from 'node:os'
import type { CpuRatios, Ratios, RawFigures, SpeedRow } from './summary'

/** What the JSON file holds. */
export interface Report extends Record<string, unknown> {
  readonly version: 1
  readonly mode: 'quick' | 'full'
  readonly startedAt: string
  readonly seconds: number
  readonly phaseSeconds: Readonly<Record<string, number>>
  readonly machine: Machine
  readonly versions: Record<string, string>
  /** Settings and state of each subject, as it reports them. */
  readonly subjects: Record<string, unknown>
  readonly speeds: readonly SpeedRow[]
  readonly ratios: Ratios
  readonly cpuRatios: CpuRatios
  readonly raw: RawFigures
}

export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryBytes: number
  readonly system: string
  /** Over 1, 5 and 15 minutes, when the benchmark began. */
  readonly loadAverage: readonly number[]
}

export function describeMachine(): Machine {
  const processors = cpus()
  return {
    processor: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    system: `${platform()} ${release()}`,
    loadAverage: loadavg(),
  }
}
