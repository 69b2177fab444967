import { expect, openLibrary, test } from './site'

// The functions given to evaluate() run in the page: what they need comes as their argument.

interface Failure {
  code: string
  message: string
  details: Record<string, unknown>
}

const LONG_PROMPT = 'Tell me about fish and rivers and lakes. '.repeat(40)

test('loads with progress that never falls and ends at 1', async ({ library }) => {
  const reports = await library.evaluate(async () => {
    const seen: {
      phase: string
      fraction: number
      file: string | null
      loadedBytes: number
      totalBytes: number
    }[] = []
    const engine = await minnow.createEngine({ onProgress: (progress) => seen.push(progress) })
    await engine.dispose()
    return seen
  })
  expect(reports.length).toBeGreaterThan(10)
  expect(reports.map(({ fraction }) => fraction)).toEqual(
    reports.map(({ fraction }) => fraction).toSorted((a, b) => a - b),
  )
  expect(reports[0]?.phase).toBe('download')
  expect(reports[0]?.file).toMatch(/^chunk-00/)
  expect(reports.at(-1)).toMatchObject({ phase: 'ready', fraction: 1 })
  const phases = reports.map(({ phase }) => phase).filter((phase, index, all) => phase !== all[index - 1])
  expect(phases).toEqual(['download', 'load', 'ready'])
})

for (const { fault, model, code, says } of [
  {
    fault: 'a chunk is missing',
    model: '/faults/missing-chunk/manifest.json',
    code: 'network',
    says: 'chunk-05',
  },
  {
    fault: 'a chunk has a wrong hash',
    model: '/faults/wrong-hash/manifest.json',
    code: 'integrity',
    says: 'chunk-05',
  },
  {
    fault: 'a GGUF file by URL is truncated',
    model: '/faults/truncated.gguf',
    code: 'invalid-model',
    says: '',
  },
  {
    fault: 'a GGUF file by URL ends in its header',
    model: '/faults/cut-header.gguf',
    code: 'invalid-model',
    says: '',
  },
  { fault: 'a file is no model', model: '/faults/no-model.gguf', code: 'invalid-model', says: '' },
  { fault: 'there is no such file', model: '/faults/none/manifest.json', code: 'network', says: '404' },
]) {
  test(`says so where ${fault}`, async ({ library }) => {
    const failure = await library.evaluate(async (url): Promise<Failure | null> => {
      try {
        await minnow.createEngine({ model: url })
        return null
      } catch (error) {
        if (!minnow.isEngineError(error)) throw error
        return { code: error.code, message: error.message, details: error.details }
      }
    }, model)
    expect(failure?.code).toBe(code)
    expect(failure?.message).toContain(says)
  })
}

test('reads a whole and a truncated GGUF file that was picked', async ({ library }) => {
  const outcome = await library.evaluate(async () => {
    const whole = await (await fetch('/faults/whole.gguf')).blob()
    const engine = await minnow.createEngine({ model: new File([whole], 'picked.gguf') })
    const { model, weightsBytes } = engine.info
    await engine.dispose()
    const failure = await minnow
      .createEngine({ model: whole.slice(0, whole.size - 1) })
      .catch((error: unknown) => error)
    return { model, weightsBytes, code: minnow.isEngineError(failure) ? failure.code : String(failure) }
  })
  expect(outcome).toMatchObject({ model: 'picked', code: 'invalid-model' })
  expect(outcome.weightsBytes).toBeGreaterThan(50e6)
})

test('reads a GGUF file by URL in ranges and answers as the chunks do', async ({ library }) => {
  const texts = await library.evaluate(async () => {
    const answers: string[] = []
    for (const model of ['/faults/whole.gguf', undefined]) {
      const engine = await minnow.createEngine(model === undefined ? {} : { model })
      const { choices } = await engine.chat.completions.create({
        messages: [{ role: 'user', content: 'Name a river.' }],
        temperature: 0,
        max_tokens: 12,
      })
      answers.push(choices[0]!.message.content)
      await engine.dispose()
    }
    return answers
  })
  expect(texts[0]).not.toBe('')
  expect(texts[0]).toBe(texts[1])
})

test('refuses a prompt longer than the context with its numbers, and answers the next', async ({
  library,
}) => {
  const outcome = await library.evaluate(async (prompt) => {
    const engine = await minnow.createEngine({ contextLength: 96 })
    const ask = (content: string, stream: boolean) =>
      engine.chat.completions.create({
        messages: [{ role: 'user', content }],
        max_tokens: 4,
        stream,
      } as never)
    const failures: Failure[] = []
    for (const stream of [true, false]) {
      await ask(prompt, stream).catch((error: unknown) => {
        if (!minnow.isEngineError(error)) throw error
        failures.push({ code: error.code, message: error.message, details: error.details })
      })
    }
    const { usage } = await engine.chat.completions.create({
      messages: [{ role: 'user', content: 'Hi' }],
      max_tokens: 4,
    })
    await engine.dispose()
    return { failures, contextLength: engine.info.contextLength, tokens: usage.completion_tokens }
  }, LONG_PROMPT)
  expect(outcome.contextLength).toBe(96)
  expect(outcome.tokens).toBeGreaterThan(0)
  expect(outcome.failures.map(({ code }) => code)).toEqual(['context-overflow', 'context-overflow'])
  for (const { message } of outcome.failures) expect(message).toMatch(/\b96\b/)
})

for (const phase of ['download', 'load'] as const) {
  test(`aborts in the phase ${phase}, and loads after that`, async ({ library }) => {
    const outcome = await library.evaluate(async (wanted) => {
      const controller = new AbortController()
      const reason = new Error('enough')
      let reports = 0
      const failure = await minnow
        .createEngine({
          signal: controller.signal,
          onProgress: (progress) => {
            if (controller.signal.aborted) reports++
            else if (progress.phase === wanted) controller.abort(reason)
          },
        })
        .catch((error: unknown) => error)
      const engine = await minnow.createEngine()
      await engine.dispose()
      return { isReason: failure === reason, reports }
    }, phase)
    expect(outcome).toEqual({ isReason: true, reports: 0 })
  })
}

test('aborts in prefill and in decode, at once, and answers after that', async ({ library }) => {
  const outcome = await library.evaluate(async (prompt) => {
    const engine = await minnow.createEngine()
    const ask = async (
      content: string,
      signal?: AbortSignal,
      onPart: (count: number) => void = () => undefined,
    ) => {
      const stream = await engine.chat.completions.create(
        { messages: [{ role: 'user', content }], temperature: 0, stream: true, max_tokens: signal ? 400 : 6 },
        signal ? { signal } : {},
      )
      let count = 0
      let text = ''
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? ''
        if (chunk.choices[0]?.delta.content) onPart(++count)
      }
      return text
    }
    // How long the engine is not to be had after an abort: the next, short request waits for it.
    const abortedAt: Record<string, number> = {}
    const outcomes: Record<string, { isReason: boolean; tokens: number; nextText: string; nextMs: number }> =
      {}
    const expected = await ask('Say hello.')
    const baselineStart = performance.now()
    await ask('Say hello.')
    const baselineMs = performance.now() - baselineStart
    for (const phase of ['prefill', 'decode']) {
      const controller = new AbortController()
      const reason = new Error(phase)
      let tokens = 0
      const abort = (): void => {
        abortedAt[phase] = performance.now()
        controller.abort(reason)
      }
      if (phase === 'prefill') setTimeout(abort, 20)
      const failure = await ask(
        phase === 'prefill' ? prompt : 'Count to one hundred.',
        controller.signal,
        (count) => {
          tokens = count
          if (phase === 'decode' && count === 3) abort()
        },
      ).catch((error: unknown) => error)
      const nextText = await ask('Say hello.')
      outcomes[phase] = {
        isReason: failure === reason,
        tokens,
        nextText,
        nextMs: performance.now() - abortedAt[phase]!,
      }
    }
    await engine.dispose()
    return { outcomes, expected, baselineMs }
  }, LONG_PROMPT)
  const { outcomes, expected, baselineMs } = outcome
  expect(outcomes['prefill']).toMatchObject({ isReason: true, tokens: 0, nextText: expected })
  expect(outcomes['decode']).toMatchObject({ isReason: true, tokens: 3, nextText: expected })
  // Had the 400 tokens gone on, the next answer, of 6 tokens, would have waited for some 60 of its kind.
  expect(outcomes['decode']!.nextMs).toBeLessThan(20 * baselineMs)
})

test('rejects with worker-lost where the worker is terminated mid-stream; a fresh engine works', async ({
  library,
}) => {
  const outcome = await library.evaluate(async () => {
    const worker = new Worker('/dist/worker.js', { type: 'module' })
    const engine = await minnow.createEngine({ worker })
    const messages = [{ role: 'user', content: 'Write a long story.' }] as const
    let parts = 0
    const codeOf = (error: unknown): string => (minnow.isEngineError(error) ? error.code : String(error))
    const streaming = (async () => {
      for await (const chunk of await engine.chat.completions.create({ messages, stream: true })) {
        if (chunk.choices[0]?.delta.content && ++parts === 3) worker.terminate()
      }
      return 'ended'
    })().catch(codeOf)
    const waiting = engine.chat.completions.create({ messages }).catch(codeOf)
    const codes = [
      await streaming,
      await waiting,
      await engine.chat.completions.create({ messages }).catch(codeOf),
    ]
    await engine.dispose()
    const fresh = await minnow.createEngine()
    const { usage } = await fresh.chat.completions.create({ messages, max_tokens: 3 })
    await fresh.dispose()
    return { codes, parts, tokens: usage.completion_tokens }
  })
  expect(outcome.codes).toEqual(['worker-lost', 'worker-lost', 'worker-lost'])
  expect(outcome.parts).toBeGreaterThanOrEqual(3)
  expect(outcome.tokens).toBe(3)
})

test('rejects with worker-lost where the worker has no script', async ({ library }) => {
  const code = await library.evaluate(async () => {
    const worker = new Worker('/dist/none.js', { type: 'module' })
    return minnow.createEngine({ worker }).then(
      () => 'loaded',
      (error: unknown) => (minnow.isEngineError(error) ? error.code : String(error)),
    )
  })
  expect(code).toBe('worker-lost')
})

test('rejects what runs and what comes after dispose()', async ({ library }) => {
  const codes = await library.evaluate(async () => {
    const engine = await minnow.createEngine()
    const messages = [{ role: 'user', content: 'Write a long story.' }] as const
    const codeOf = (error: unknown): string => (minnow.isEngineError(error) ? error.code : String(error))
    const stream = await engine.chat.completions.create({ messages, stream: true })
    const reading = (async () => {
      for await (const _ of stream) void engine.dispose()
      return 'ended'
    })().catch(codeOf)
    return [await reading, await engine.chat.completions.create({ messages }).catch(codeOf)]
  })
  expect(codes).toEqual(['disposed', 'disposed'])
})

test('two engines answer at once, each as alone', async ({ library }) => {
  const outcome = await library.evaluate(async () => {
    const engines = await Promise.all([
      minnow.createEngine({ threads: 1 }),
      minnow.createEngine({ threads: 1 }),
    ])
    const ask = async (index: number, content: string): Promise<string> => {
      const { choices } = await engines[index]!.chat.completions.create({
        messages: [{ role: 'user', content }],
        temperature: 0,
        max_tokens: 16,
      })
      return choices[0]!.message.content
    }
    const together = await Promise.all([ask(0, 'Name a river.'), ask(1, 'Name a mountain.')])
    const crossed = [await ask(1, 'Name a river.'), await ask(0, 'Name a mountain.')]
    await engines[0].dispose()
    const left = await ask(1, 'Name a river.')
    await engines[1].dispose()
    return { together, crossed, left }
  })
  expect(outcome.together[0]).not.toBe('')
  expect(outcome.crossed).toEqual(outcome.together)
  expect(outcome.left).toBe(outcome.together[0])
})

test('uses one thread, without an error, where the page is not isolated', async ({ page, plainSite }) => {
  await openLibrary(page, `${plainSite.origin}/harness/`)
  const outcome = await page.evaluate(async () => {
    const engine = await minnow.createEngine({ threads: 2 })
    const { usage } = await engine.chat.completions.create({
      messages: [{ role: 'user', content: 'Hi' }],
      max_tokens: 3,
    })
    const { threads } = engine.info
    await engine.dispose()
    return { isolated: crossOriginIsolated, threads, tokens: usage.completion_tokens }
  })
  expect(outcome).toEqual({ isolated: false, threads: 1, tokens: 3 })
})

test('without a GPU it says so: by answering on the processor, or by rejecting where a GPU was asked for', async ({
  library,
}) => {
  const outcome = await library.evaluate(async () => {
    const engine = await minnow.createEngine({ threads: 1 })
    await engine.dispose()
    const asked = minnow.createEngine({ backend: 'webgpu' })
    const code = await asked.then(
      () => 'loaded',
      (error: { code: string }) => error.code,
    )
    return { backend: engine.info.backend, reason: engine.info.backendReason, code }
  })
  expect(outcome).toEqual({
    backend: 'wasm',
    reason: expect.stringMatching(/no WebGPU here|finds no GPU/),
    code: 'unsupported',
  })
})
