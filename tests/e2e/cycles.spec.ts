import { expect, test } from './site'

// So that performance.measureUserAgentSpecificMemory() collects garbage and answers at once.
test.use({
  launchOptions: async ({ launchOptions }, use) => {
    const args = [...(launchOptions.args ?? []), '--enable-blink-features=ForceEagerMeasureMemory']
    await use({ ...launchOptions, args })
  },
})

const WARM_UP = 50
const CYCLES = 200
const PARTS = 4
/**
 * Of page and worker together, in the part of the cycles that grew least: compiled code and full caches come in
 * steps of up to 1 MB in one part or another, a leak is in each. One row of logits kept a cycle would be 10 MB a part.
 */
const ALLOWED_GROWTH_BYTES = 100 * 2 ** 10

test(`${CYCLES} generations started and stopped leave no memory behind`, async ({ library }) => {
  test.setTimeout(300_000)
  const outcome = await library.evaluate(
    async ({ warmUp, cycles, parts }) => {
      const engine = await minnow.createEngine({ threads: 1 })
      const measure = async (): Promise<{ heapBytes: number; backendBytes: number }> => {
        const meter = performance as unknown as {
          measureUserAgentSpecificMemory(): Promise<{ bytes: number }>
        }
        const { bytes } = await meter.measureUserAgentSpecificMemory()
        return { heapBytes: bytes, backendBytes: engine.info.memoryBytes }
      }
      let tokensRead = 0
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
            tokensRead++
            if (index % 3 === 0) break
            controller.abort()
          }
        } catch (error) {
          if (error !== controller.signal.reason) throw error
        }
      }
      for (let index = 0; index < warmUp; index++) await cycle(index)
      const measured = [await measure()]
      for (let index = 0; index < cycles; index++) {
        await cycle(index)
        if ((index + 1) % (cycles / parts) === 0) measured.push(await measure())
      }
      const { usage } = await engine.chat.completions.create({
        messages: [{ role: 'user', content: 'Hi' }],
        max_tokens: 3,
      })
      await engine.dispose()
      return { measured, tokensRead, tokens: usage.completion_tokens }
    },
    { warmUp: WARM_UP, cycles: CYCLES, parts: PARTS },
  )
  const { measured, tokensRead, tokens } = outcome
  expect(tokensRead).toBeGreaterThanOrEqual(CYCLES / 2)
  expect(tokens).toBe(3)
  expect(new Set(measured.map(({ backendBytes }) => backendBytes)).size).toBe(1)
  expect(measured.length).toBe(PARTS + 1)
  const growth = measured.slice(1).map(({ heapBytes }, part) => heapBytes - measured[part]!.heapBytes)
  expect(Math.min(...growth)).toBeLessThan(ALLOWED_GROWTH_BYTES)
})
