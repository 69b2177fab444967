import { afterEach, beforeEach, describe, expect, it, vi, type Mock } from 'vitest'
import { compileKernels } from '../../src/backend/wasm/kernel-module'
import { isEngineError } from '../../src/contract/error'

/** The least that compiles. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

/** Answers of the server, one a request; an Error is a connection that fails. */
function serve(...answers: (Response | Error)[]): Mock<() => Promise<Response>> {
  const fetch = vi.fn<() => Promise<Response>>(async () => {
    const answer = answers.shift()
    if (answer instanceof Response) return answer
    throw answer ?? new Error('nobody expected this request')
  })
  vi.stubGlobal('fetch', fetch)
  return fetch
}

const broken = (): Response =>
  new Response(
    new ReadableStream({
      pull(controller) {
        controller.error(new TypeError('network error'))
      },
    }),
  )

describe('compileKernels()', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    // As in a page: here the files would be read from the disk.
    vi.stubGlobal(
      'URL',
      class extends URL {
        constructor(path: string) {
          super(path, 'https://minnow.example/a/b/c/')
        }
      },
    )
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('tries again after a connection that fails, one that breaks and a server that is busy', async () => {
    const fetch = serve(
      new TypeError('failed to fetch'),
      broken(),
      new Response(null, { status: 503 }),
      new Response(EMPTY_MODULE),
    )
    const module = compileKernels('simd', false)
    await vi.runAllTimersAsync()
    expect(await module).toBeInstanceOf(WebAssembly.Module)
    expect(fetch).toHaveBeenCalledTimes(4)
  })

  it('gives up at once where the file is not there', async () => {
    const fetch = serve(new Response(null, { status: 404 }))
    const error = await compileKernels('simd', false).catch((caught: unknown) => caught)
    expect(isEngineError(error, 'network') && error.message).toMatch(/simd\.wasm: status 404/)
    expect(fetch).toHaveBeenCalledTimes(1)
  })

  it('gives up in the end, and when it is told to', async () => {
    serve(...Array.from({ length: 7 }, () => new TypeError('failed to fetch')))
    const failed = compileKernels('simd', false).catch((caught: unknown) => caught)
    await vi.runAllTimersAsync()
    expect(isEngineError(await failed, 'network')).toBe(true)

    serve(new TypeError('failed to fetch'))
    const controller = new AbortController()
    const stopped = compileKernels('simd', false, controller.signal).catch((caught: unknown) => caught)
    await vi.advanceTimersByTimeAsync(10)
    controller.abort(new Error('enough'))
    await vi.runAllTimersAsync()
    expect(await stopped).toEqual(new Error('enough'))
  })
})
