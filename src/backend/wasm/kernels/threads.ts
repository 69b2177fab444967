/**
 * All threads run the same kernels over one memory, each taking its share. They meet at barriers: spin shortly,
 * then sleep on a futex. Control words (i32), each on a cache line of its own so that waiting doesn't slow the writers.
 */
export const CONTROL: usize = 1024
const ARRIVED: usize = CONTROL
const GENERATION: usize = CONTROL + 64
const SLEEPERS: usize = CONTROL + 128
const JOB: usize = CONTROL + 192 // number of jobs started so far
const JOB_SLEEPERS: usize = CONTROL + 256

/** Checks before a thread sleeps: some 0.2 to 1 ms, longer than the host needs between two tokens. */
const SPINS: i32 = 200000

/** A thread that has not come to a barrier after so long is gone: nanoseconds. */
const BARRIER_TIMEOUT: i64 = 120_000_000_000
const FOREVER: i64 = -1
const TIMED_OUT: i32 = 2

export let threadIndex: i32 = 0
export let threadCount: i32 = 1

/** Says which of how many threads this instance is. */
export function setThread(index: i32, count: i32): void {
  threadIndex = index
  threadCount = count
}

/** Returns when all threads have come here; traps where one is lost. */
export function barrier(): void {
  if (threadCount == 1) return
  const generation = atomic.load<i32>(GENERATION)
  if (atomic.add<i32>(ARRIVED, 1) == threadCount - 1) {
    atomic.store<i32>(ARRIVED, 0)
    atomic.store<i32>(GENERATION, generation + 1)
    if (atomic.load<i32>(SLEEPERS) != 0) atomic.notify(GENERATION, -1)
    return
  }
  waitForChange(GENERATION, SLEEPERS, generation, BARRIER_TIMEOUT)
}

/** Spins, then sleeps, until the word differs from `old`. The sleeper counts itself before it looks again. */
function waitForChange(word: usize, sleepers: usize, old: i32, timeout: i64): void {
  for (let i = 0; i < SPINS; i++) {
    if (atomic.load<i32>(word) != old) return
  }
  atomic.add<i32>(sleepers, 1)
  while (atomic.load<i32>(word) == old) {
    if (atomic.wait<i32>(word, old, timeout) == TIMED_OUT) unreachable()
  }
  atomic.sub<i32>(sleepers, 1)
}

/** Main thread: wakes the others for a job. */
export function startJob(): void {
  if (threadCount == 1) return
  atomic.add<i32>(JOB, 1)
  if (atomic.load<i32>(JOB_SLEEPERS) != 0) atomic.notify(JOB, -1)
}

/** Other threads: waits for the job after number `done`. */
export function nextJob(done: i32): void {
  waitForChange(JOB, JOB_SLEEPERS, done, FOREVER)
}
