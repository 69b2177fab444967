// A page without a bundler: the built library and the model are files on the same server.
//   npm run build && npx tsx examples/02-plain-page/serve.ts
import { createEngine } from './dist/index.js'

const form = document.querySelector('form')
const status = document.querySelector('#status')
const answer = document.querySelector('#answer')
const { question, stop } = form.elements
let engine

form.addEventListener('submit', (event) => {
  event.preventDefault()
  void ask()
})

async function ask() {
  const controller = new AbortController()
  stop.disabled = false
  stop.onclick = () => controller.abort()
  answer.textContent = ''
  try {
    engine ??= await createEngine({
      model: '/models/smollm2-135m-instruct-q4_1/manifest.json',
      signal: controller.signal,
      onProgress: ({ phase, fraction }) => {
        status.textContent = `${phase} ${Math.round(fraction * 100)} %`
      },
    })
    const stream = await engine.chat.completions.create(
      { messages: [{ role: 'user', content: question.value }], max_tokens: 80, temperature: 0, stream: true },
      { signal: controller.signal },
    )
    // As text, never as HTML: a model may write anything.
    for await (const { choices } of stream) answer.textContent += choices[0]?.delta.content ?? ''
    status.textContent = 'Done'
  } catch (error) {
    status.textContent = controller.signal.aborted ? 'Stopped' : error.message
  } finally {
    stop.disabled = true
  }
}
