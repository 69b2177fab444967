import { expect, test } from './site'

// So that performance.measureUserAgentSpecificMemory() collects garbage and answers at once.
test.use({
  launchOptions: async ({ launchOptions }, use) => {
    const args = [...(launchOptions.args ?? []), '--enable-blink-features=ForceEagerMeasureMemory']
    await use({ ...launchOptions, args })
  },
})

const WARM_UP = 40
const CYCLES = 200
/** Of page and worker together; what lists and caches of V8 may take. */
const ALLOWED_GROWTH_BYTES = 1.5 * 2 ** 20

test(`${CYCLES} generations started and stopped leave no memory behind`, async ({ library }) => {
  const outcome = await library.evaluate(
    async ({ warmUp, cycles }) => {
      const engine = await minnow.createEngine()
      const measure = async (): Promise<{ heapBytes: number; backendBytes: number }> => {
        const measured = performance as unknown as {
          measureUserAgentSpecificMemory(): Promise<{ bytes: number }>
        }
        const { bytes } = await measured.measureUserAgentSpecificMemory()
        return { heapBytes: bytes, backendBytes: engine.info.memoryBytes }
      }
      let parts = 0
      const cycle = async (index: number): Promise<void> => {
        const controller = new AbortController()
        const stream = await engine.chat.completions.create(
          { messages: [{ role: 'user', content: 'Count to one hundred.' }], stream: true, logprobs: true },
          { signal: controller.signal },
        )
        // In turns: leave the loop, abort, stop before the first token.
        if (index % 3 === 2) {
          controller.abort()
          await stream[Symbol.asyncIterator]()
            .next()
            .catch(() => undefined)
          return
        }
        try {
          for await (const chunk of stream) {
            if (!chunk.choices[0]?.delta.content) continue
            parts++
            if (index % 3 === 0) break
            controller.abort()
          }
        } catch (error) {
          if (error !== controller.signal.reason) throw error
        }
      }
      for (let index = 0; index < warmUp; index++) await cycle(index)
      const before = await measure()
      for (let index = 0; index < cycles; index++) await cycle(index)
      const after = await measure()
      const { usage } = await engine.chat.completions.create({
        messages: [{ role: 'user', content: 'Hi' }],
        max_tokens: 3,
      })
      await engine.dispose()
      return { before, after, parts, tokens: usage.completion_tokens }
    },
    { warmUp: WARM_UP, cycles: CYCLES },
  )
  expect(outcome.parts).toBeGreaterThanOrEqual(CYCLES / 2)
  expect(outcome.tokens).toBe(3)
  expect(outcome.after.backendBytes).toBe(outcome.before.backendBytes)
  expect(outcome.after.heapBytes - outcome.before.heapBytes).toBeLessThan(ALLOWED_GROWTH_BYTES)
})
