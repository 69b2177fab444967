// Cloudflare Workers, and any runtime that calls `fetch` of a default export. Put the settings into its secrets.
import type { Hono } from 'hono'
import { createProxy } from './proxy'
import { readSettings } from './settings'

let app: Hono | undefined

export default {
  fetch(request: Request, env: Record<string, string>): Response | Promise<Response> {
    app ??= createProxy(readSettings(env))
    return app.fetch(request)
  },
}
