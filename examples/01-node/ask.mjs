// Streams an answer to the terminal, then says what it took.
//   npm run build && node examples/01-node/ask.mjs "Name three rivers."
import { createEngine } from 'minnow-llm'

const question = process.argv[2] ?? 'Why is the sky blue?'
const engine = await createEngine()
try {
  const stream = await engine.chat.completions.create({
    messages: [{ role: 'user', content: question }],
    max_tokens: 80,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
  })
  for await (const { choices, usage } of stream) {
    process.stdout.write(choices[0]?.delta.content ?? '')
    if (usage) {
      const { timeToFirstTokenMs, decodeTokensPerSecond } = usage.minnow
      console.log(
        `\n\n${usage.completion_tokens} tokens, the first after ${Math.round(timeToFirstTokenMs)} ms, ` +
          `then ${Math.round(decodeTokensPerSecond)} a second, on ${engine.info.backend} (${engine.info.variant})`,
      )
    }
  }
} finally {
  await engine.dispose()
}
