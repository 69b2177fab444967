import { afterAll, beforeAll, describe, it } from 'vitest'
import type { Backend, LoadBackend, LoadOptions } from '../../src/backend/backend'
import { describeBatches } from './batch-cases'
import { describeForcedDecoding, type ForcedDecodingExpectations } from './forced-decoding-cases'
import { openSmolLm2, type OpenModel } from './model-files'
import { describeLifetime, describeSessions, expectSameRows, rowsOf, sentence } from './session-cases'

export interface BackendExpectations extends Omit<ForcedDecodingExpectations, 'threads'> {
  /** Loaded once with each; all must give the same bits. The first runs the other cases. */
  readonly threads: readonly number[]
}

/** Every backend runs this suite, on the real model that comes with Minnow. */
export function describeBackend(name: string, load: LoadBackend, expectations: BackendExpectations): void {
  const [firstThreads = 1, ...otherThreads] = expectations.threads
  describeForcedDecoding(name, load, { ...expectations, threads: firstThreads })

  describe(`${name} backend, SmolLM2 135M Q4_1`, () => {
    let opened: OpenModel
    let backend: Backend
    beforeAll(async () => {
      opened = await openSmolLm2()
      backend = await loadWith()
    })
    afterAll(() => backend?.dispose())

    const loadWith = (options: Partial<LoadOptions> = {}): Promise<Backend> =>
      load({ model: opened.model, bytes: opened.bytes, threads: firstThreads, ...options })

    describe('sessions', () => {
      describeSessions(() => backend)
    })

    describe('batches', () => {
      describeBatches(() => backend)
    })

    it.each(otherThreads)(`gives the same bits on %i threads as on ${firstThreads}`, async (count) => {
      const other = await loadWith({ threads: count })
      expectSameRows(await rowsOf(other, [sentence]), await rowsOf(backend, [sentence]))
      other.dispose()
    })

    describe('lifetime', () => {
      describeLifetime(loadWith)
    })
  })
}
