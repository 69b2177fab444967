import { parseArgs } from 'node:util'
import { preview } from 'vite'

/** `tsx scripts/preview.ts [--port N] [--host ADDRESS]` serves the built page and prints its URL. */

const { values } = parseArgs({ options: { port: { type: 'string' }, host: { type: 'string' } } })

const server = await preview({
  preview: {
    port: Number(values.port ?? 4173),
    // A test that asks for a port means that one; a person gets the next free one.
    strictPort: values.port !== undefined,
    host: values.host ?? 'localhost',
    headers: {
      // Cross-origin isolation: without it no SharedArrayBuffer, so only one thread.
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
      'Cross-Origin-Resource-Policy': 'same-origin',
    },
  },
})
server.printUrls()
