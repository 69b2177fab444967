import { onTestFinished } from 'vitest'
import type { ChatCompletionChunk, ChatCompletionParams, Engine } from '../../src/contract/engine'
import type { RemoteEngine } from '../../src/contract/remote'
import { createRemoteEngine } from '../../src/router/providers/remote-engine'
import type { RemoteEngineOptions } from '../../src/router/providers/remote-options'
import { startRemoteServer, type RemoteServer, type RemoteServerOptions } from '../remote-server/server'

export const KEY = 'sk-test-0123456789abcdef'

export const QUESTION: ChatCompletionParams & { stream: true } = {
  messages: [{ role: 'user', content: 'Where do minnows swim?' }],
  stream: true,
}

/** For `expect.poll`: the machine may be busy. */
export const PATIENT = { timeout: 10_000 }

/** Retries at once; no test waits for the default times. */
export const QUICK: Partial<RemoteEngineOptions> = {
  retry: { retries: 2, baseMs: 1, maxMs: 2, maxRetryAfterMs: 2000 },
}

/** A server that ends with the test. */
export async function startServer(options: RemoteServerOptions = {}): Promise<RemoteServer> {
  const server = await startRemoteServer(options)
  onTestFinished(() => server.close())
  return server
}

export function remoteOf(server: RemoteServer, options: Partial<RemoteEngineOptions> = {}): RemoteEngine {
  const engine = createRemoteEngine({
    baseUrl: server.baseUrl,
    model: 'test-model',
    name: 'test',
    apiKey: KEY,
    ...QUICK,
    ...options,
  })
  onTestFinished(() => engine.dispose())
  return engine
}

export interface Outcome {
  text: string
  chunks: ChatCompletionChunk[]
  /** Thrown by create() or by the stream. */
  error: unknown
  /** Whether create() itself rejected. */
  rejected: boolean
}

/** Asks and reads to the end, whatever it is. */
export async function ask(
  engine: Engine,
  params: Partial<ChatCompletionParams> = {},
  options: Parameters<Engine['chat']['completions']['create']>[1] = {},
): Promise<Outcome> {
  const outcome: Outcome = { text: '', chunks: [], error: null, rejected: true }
  try {
    const stream = await engine.chat.completions.create({ ...QUESTION, ...params, stream: true }, options)
    outcome.rejected = false
    for await (const chunk of stream) {
      outcome.chunks.push(chunk)
      outcome.text += chunk.choices[0]?.delta.content ?? ''
    }
  } catch (error) {
    outcome.error = error
  }
  return outcome
}
