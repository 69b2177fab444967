import { createEngine } from '../../src/index'

/**
 * Runs by itself, in a browser without debugger: loads the embedded model as an application does and answers once.
 * The benchmark reads the process's memory while it answers the page's questions.
 */
async function run(): Promise<void> {
  const threads = Number(new URLSearchParams(location.search).get('threads'))
  await untilIdle()
  await fetch('/ask/idle')
  const engine = await createEngine({ model: '/default-model/manifest.json', threads })
  const completion = await engine.chat.completions.create({
    messages: [{ role: 'user', content: 'Say hello.' }],
    max_tokens: 32,
    temperature: 0,
  })
  const isRight = completion.usage.completion_tokens > 0 && engine.info.threads === threads
  await fetch(isRight ? '/ask/answered' : '/ask/failed')
}

/** While a page loads, Chromium works for it and puts off collecting garbage, whatever the page holds. */
async function untilIdle(): Promise<void> {
  if (document.readyState !== 'complete') {
    await new Promise((resolve) => addEventListener('load', resolve, { once: true }))
  }
  await new Promise((resolve) => requestIdleCallback(resolve, { timeout: 2000 }))
  await new Promise((resolve) => setTimeout(resolve, 1000))
}

run().catch(() => fetch('/ask/failed'))
