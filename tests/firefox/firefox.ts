import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { build } from 'vite'
import type { Task, TaskResult } from '../browser/backend-page/tasks'

const ROOT = join(import.meta.dirname, '../..')
const PAGE = join(ROOT, 'build/firefox-page')

/** A Firefox with WebGPU switched on: without it Linux has none. Mesa's software driver is enough. */
const PREFERENCES = `
user_pref("dom.webgpu.enabled", true);
user_pref("dom.webgpu.workers.enabled", true);
user_pref("gfx.webgpu.ignore-blocklist", true);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
`

/** The program, or null where there is none: `MINNOW_FIREFOX`, or one on PATH. */
export function findFirefox(): string | null {
  const candidates = [process.env['MINNOW_FIREFOX'], 'firefox-esr', 'firefox']
  return candidates.find((name) => name && spawnSync(name, ['--version']).status === 0) ?? null
}

/** A page in Firefox that runs tasks, one at a time. */
export interface FirefoxPage {
  run(task: Task): Promise<TaskResult>
  close(): Promise<void>
}

export async function openFirefox(program: string): Promise<FirefoxPage> {
  await build({
    configFile: false,
    root: join(ROOT, 'tests/browser/backend-page'),
    base: './',
    logLevel: 'error',
    build: {
      outDir: PAGE,
      emptyOutDir: true,
      target: 'es2022',
      assetsInlineLimit: 0,
      rolldownOptions: { input: join(ROOT, 'tests/browser/backend-page/tasks.html') },
    },
    worker: { format: 'es' },
  })
  const tasks = new Exchange()
  const server = createServer((request, response) => void tasks.answer(request, response))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const profile = mkdtempSync(join(tmpdir(), 'minnow-firefox-'))
  writeFileSync(join(profile, 'user.js'), PREFERENCES)
  const browser = spawn(
    program,
    ['--headless', '--no-remote', '--profile', profile, `http://127.0.0.1:${port}/tasks.html`],
    { env: { ...process.env, HOME: profile }, stdio: 'ignore' },
  )
  return {
    run: (task) => tasks.run(task),
    async close() {
      const ended = new Promise((resolve) => void browser.once('exit', resolve))
      browser.kill()
      await ended
      server.closeAllConnections()
      server.close()
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Hands one task at a time to the page and takes its result. */
class Exchange {
  #task: Task | null = null
  #asked: ServerResponse | null = null
  #done: ((result: TaskResult) => void) | null = null

  run(task: Task): Promise<TaskResult> {
    this.#task = task
    this.#give()
    return new Promise((resolve) => {
      this.#done = resolve
    })
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://page').pathname
    if (path === '/task') {
      this.#asked = response
      this.#give()
      return
    }
    if (path === '/result') {
      const body: Buffer[] = []
      for await (const part of request) body.push(part as Buffer)
      response.end()
      this.#done?.(JSON.parse(Buffer.concat(body).toString()) as TaskResult)
      return
    }
    const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' }
    const type = types[extname(path)]
    if (type === undefined || path.includes('..')) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'content-type': type }).end(readFileSync(join(PAGE, path)))
  }

  #give(): void {
    if (this.#task === null || this.#asked === null) return
    this.#asked.end(JSON.stringify(this.#task))
    this.#task = this.#asked = null
  }
}
