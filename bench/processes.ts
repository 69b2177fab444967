import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

/** Figures of a process from /proc: Linux only; null elsewhere. */

/** CPU time of all threads, user and system, in seconds, in steps of one clock tick (10 ms). */
export function cpuSecondsOf(pid: number): number | null {
  const stat = readProc(pid, 'stat')
  if (stat === null) return null
  // The second field is the name in brackets and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond()
}

export interface Memory {
  readonly rssBytes: number
  /** Highest RSS since `resetPeak()` or the start. */
  readonly peakRssBytes: number
}

export function memoryOf(pid: number): Memory | null {
  const status = readProc(pid, 'status')
  if (status === null) return null
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024
  return { rssBytes: field('VmRSS'), peakRssBytes: field('VmHWM') }
}

/** Proportional set size: shared pages count by their share. Slow to read; no peak is kept by the kernel. */
export function pssBytesOf(pid: number): number | null {
  const rollup = readProc(pid, 'smaps_rollup')
  const found = rollup === null ? null : /^Pss:\s+(\d+) kB/m.exec(rollup)
  return found === null ? null : Number(found[1]) * 1024
}

/** Starts the peak anew at what is resident now. */
export function resetPeak(pid: number): void {
  if (process.platform === 'linux') writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function readProc(pid: number, file: string): string | null {
  if (process.platform !== 'linux') return null
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    // The process has ended.
    return null
  }
}

let ticks: number | null = null

function ticksPerSecond(): number {
  ticks ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  return ticks
}
