//   UPSTREAM_URL=https://api.openai.com/v1 UPSTREAM_KEY=… TOKEN_SECRET=… PROXY_ORIGINS=http://localhost:4173 \
//   PROXY_MODELS=gpt-4o-mini PROXY_VISITORS=code-of-a-friend npx tsx examples/03-key-proxy/node.ts
import { serve } from '@hono/node-server'
import { createProxy } from './proxy'
import { readSettings } from './settings'

const port = Number(process.env['PORT'] ?? 8787)
serve({ fetch: createProxy(readSettings(process.env)).fetch, port }, ({ port: opened }) => {
  console.log(`Key proxy on http://localhost:${opened}`)
})
