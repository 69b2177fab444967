import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { findChromium } from '../scripts/find-chromium'
import { MOUNTS } from './pages'
import { memoryOf, pssBytesOf, resetPeak, type Memory } from './processes'
import { startStaticServer } from './static-server'

const SAMPLE_MS = 10

export interface MemoryFigures {
  readonly threads: number
  /** Of all tensors in the model's file: the same whatever an engine makes of them. */
  readonly weightsBytes: number
  /** Of the idle page, before the engine loads. */
  readonly idleRssBytes: number
  /** Highest resident size while loading and answering: the kernel's mark, or a sample that is above it. */
  readonly peakRssBytes: number
  /** Resident after the answer. */
  readonly settledRssBytes: number
  readonly settledPssBytes: number | null
}

/**
 * The renderer's memory from an idle page through loading the embedded model to an answer, in a Chromium of its
 * own without a debugger: what drives the other measures (Playwright, over the DevTools protocol) keeps up to
 * 100 MB of response bodies in the renderer. Needs Linux's /proc; null elsewhere.
 */
export async function measureMemory(threads: number, weightsBytes: number): Promise<MemoryFigures | null> {
  if (process.platform !== 'linux') return null
  const profile = mkdtempSync(join(tmpdir(), 'minnow-bench-'))
  const idle = new Map<number, Memory>()
  const peaks = new Map<number, number>()
  const sampler = setInterval(() => samplePeaks(idle.keys(), peaks), SAMPLE_MS)
  let onEnd: (outcome: string) => void = () => {}
  const ended = new Promise<string>((resolve) => (onEnd = resolve))
  let figures: MemoryFigures | null = null
  const server = await startStaticServer(MOUNTS, {
    onAsked: async (name) => {
      if (name === 'idle') {
        for (const pid of processesOf(profile, '--type=renderer')) {
          resetPeak(pid)
          const memory = memoryOf(pid)
          if (memory !== null) idle.set(pid, memory)
        }
        return
      }
      if (name === 'answered') figures = { threads, weightsBytes, ...mostGrown(idle, peaks) }
      onEnd(name)
    },
  })
  const { executablePath, args } = findChromium()
  const url = `${server.origin}/memory.html?threads=${threads}`
  const flags = ['--headless', '--no-first-run', '--disable-component-update', `--user-data-dir=${profile}`]
  const browser = spawn(executablePath, [...args, ...flags, url], { stdio: 'ignore' })
  const exited = new Promise<void>((resolve) => browser.once('exit', () => resolve()))
  const late = setTimeout(120_000, 'late', { ref: false })
  const outcome = await Promise.race([ended, exited.then(() => 'exited'), late])
  clearInterval(sampler)
  browser.kill()
  await exited
  await server.close()
  // Chromium's helpers write to the profile until they end, a moment after their parent.
  while (processesOf(profile).length > 0) await setTimeout(50)
  rmSync(profile, { recursive: true, force: true })
  if (figures === null) throw new Error(`The page whose memory is measured did not answer: ${outcome}`)
  return figures
}

/** The kernel's mark misses peaks of pages that are then unmapped in some ways; samples do not miss them by much. */
function samplePeaks(pids: Iterable<number>, peaks: Map<number, number>): void {
  for (const pid of pids) peaks.set(pid, Math.max(peaks.get(pid) ?? 0, memoryOf(pid)?.rssBytes ?? 0))
}

/** The page's renderer is the one that grew by a model; Chromium's spare ones did not. */
function mostGrown(
  idle: ReadonlyMap<number, Memory>,
  peaks: ReadonlyMap<number, number>,
): Omit<MemoryFigures, 'threads' | 'weightsBytes'> {
  const grown = [...idle].map(([pid, before]) => {
    const now = memoryOf(pid)
    return {
      pid,
      idleRssBytes: before.rssBytes,
      peakRssBytes: Math.max(now?.peakRssBytes ?? 0, peaks.get(pid) ?? 0),
      settledRssBytes: now?.rssBytes ?? 0,
    }
  })
  grown.sort((a, b) => b.peakRssBytes - b.idleRssBytes - (a.peakRssBytes - a.idleRssBytes))
  const page = grown[0]
  if (page === undefined) throw new Error('Chromium has no renderer')
  const { pid, ...figures } = page
  return { ...figures, settledPssBytes: pssBytesOf(pid) }
}

/** All with `profile` and `argument` in their command lines. */
function processesOf(profile: string, argument = ''): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return command.includes(argument) && command.includes(profile)
      } catch {
        // Ended meanwhile.
        return false
      }
    })
    .map(Number)
}
