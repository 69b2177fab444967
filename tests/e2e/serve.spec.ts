import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@playwright/test'
import OpenAI from 'openai'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

test("minnow serve answers OpenAI's client, and no page that may not ask", async ({ page }) => {
  const allowed = 'http://localhost:9'
  const server = spawn(
    process.execPath,
    ['dist/cli.js', 'serve', '--port', '0', '--threads', '1', '--allow-origin', allowed],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  try {
    const [line] = (await once(server.stdout, 'data')) as [Buffer]
    const baseURL = /http:\S+/.exec(line.toString())?.[0]
    expect(baseURL).toMatch(/^http:\/\/localhost:\d+\/v1$/)
    const openai = new OpenAI({ apiKey: 'none', baseURL: baseURL!, maxRetries: 0 })
    const [model] = (await openai.models.list()).data
    const question = {
      model: model!.id,
      temperature: 0,
      max_completion_tokens: 24,
      messages: [
        { role: 'system' as const, content: 'You are a helpful assistant.' },
        { role: 'user' as const, content: 'What is the capital of France?' },
      ],
    }
    const whole = await openai.chat.completions.create(question)
    expect(whole.choices[0]?.message.content).toContain('Paris')

    let text = ''
    for await (const chunk of await openai.chat.completions.create({ ...question, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? ''
    }
    expect(text).toBe(whole.choices[0]?.message.content)

    // A client that leaves frees the engine: the next does not wait for 2,000 tokens.
    const long = await openai.chat.completions.create({
      ...question,
      max_completion_tokens: 1900,
      stream: true,
    })
    for await (const _ of long) break
    const next = await openai.chat.completions.create({ ...question, max_completion_tokens: 1 })
    expect(next.usage?.completion_tokens).toBe(1)

    // Pages of other sites may not ask, even where they would not read the answer.
    const status = async (origin: string, host: string | null): Promise<number> => {
      const headers: Record<string, string> = { 'content-type': 'application/json', origin }
      const response = await page.request.post(`${baseURL}/chat/completions`, {
        headers: host === null ? headers : { ...headers, host },
        data: { ...question, max_completion_tokens: 1 },
      })
      return response.status()
    }
    expect(await status(allowed, null)).toBe(200)
    expect(await status('https://other.example', null)).toBe(403)
    expect(await status(allowed, 'rebound.example')).toBe(403)

    server.kill('SIGINT')
    const [code] = (await once(server, 'exit')) as [number]
    expect(code).toBe(130)
  } finally {
    server.kill()
  }
})
