import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { serve } from '../../scripts/serve'

/**
 * Two origins: one for Minnow, as a CDN would be, and one for the page that embeds it.
 *   npm run build && npx tsx examples/05-widget-html/serve.ts
 */
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const minnow = await serve({
  mounts: { '/dist/': at('../../dist'), '/models/': at('../../models') },
  isolated: false,
  shared: true,
})
const types = { '/': ['text/html', 'index.html'], '/main.js': ['text/javascript', 'main.js'] } as const
const server = createServer((request, response) => {
  const [type, file] = types[request.url as keyof typeof types] ?? []
  if (type === undefined || file === undefined) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` })
  response.end(readFileSync(at(file), 'utf8').replaceAll('MINNOW', minnow.origin))
})
server.listen(0, 'localhost', () => {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  console.log(`http://localhost:${port}/ (stop with Ctrl+C)`)
})
