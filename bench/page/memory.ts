import { createEngine } from '../../src/index'

/**
 * Runs by itself, in a browser without debugger: loads the embedded model as an application does and answers once.
 * The benchmark reads the process's memory while it answers the page's questions.
 */
async function run(): Promise<void> {
  const threads = Number(new URLSearchParams(location.search).get('threads'))
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

run().catch(() => fetch('/ask/failed'))
