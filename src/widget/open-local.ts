import { createFrameEngine } from '../client/frame-engine'
import { createSharedEngine, type CreateSharedEngineOptions } from '../client/shared-engine'
import type { Engine } from '../contract/engine'
import { EngineError } from '../contract/error'
import { foreignWorkerScript, isForeign } from '../contract/worker-script'

/** The library build puts the built file's name here. */
const WORKER_ENTRY = '../worker/worker.ts'

/** A module without anything in it. */
const EMPTY_WASM = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

/** How long a worker may take to say that it runs, in milliseconds. */
const WORKER_TIMEOUT_MS = 10_000

/**
 * The engine of this device for a widget: in a worker of the page, shared by its origin, or in a frame of
 * Minnow's origin.
 * @param frame 'auto': in a frame only where the page's Content-Security-Policy forbids the rest; 'always';
 *   'never'; or the
 * frame's URL, which is 'always'.
 */
export async function openLocal(frame: string, options: CreateSharedEngineOptions): Promise<Engine> {
  if (frame === 'always' || frame === '') return createFrameEngine(options)
  if (frame !== 'auto' && frame !== 'never') return createFrameEngine({ ...options, frame })
  const forbidden = await forbiddenDirective()
  options.signal?.throwIfAborted()
  if (forbidden === null) return createSharedEngine(options)
  if (frame === 'auto') return createFrameEngine(options)
  throw new EngineError('unsupported', `This page's Content-Security-Policy forbids ${forbidden}.`, {
    details: { reason: 'content-security-policy' },
  })
}

/**
 * What the page's policy lacks for an engine of its own, which workers from Blobs inherit; null where
 * nothing. It is tried, since policies can't be read.
 */
async function forbiddenDirective(): Promise<string | null> {
  try {
    // As small as this it may be compiled on the main thread.
    void new WebAssembly.Module(EMPTY_WASM)
  } catch {
    return "WebAssembly: script-src lacks 'wasm-unsafe-eval'"
  }
  const script = new URL(WORKER_ENTRY, import.meta.url)
  if (!isForeign(script)) return null
  const { origin } = script
  if (!(await canStartWorker(script))) return `workers from ${origin}: worker-src lacks blob: or ${origin}`
  const fetched = await fetch(script, { method: 'HEAD' }).catch(() => null)
  return fetched === null ? `requests to ${origin}: connect-src lacks it` : null
}

function canStartWorker(script: URL): Promise<boolean> {
  return new Promise((resolve) => {
    let worker: Worker | null = null
    const end = (can: boolean): void => {
      clearTimeout(timer)
      worker?.terminate()
      resolve(can)
    }
    const timer = setTimeout(() => end(false), WORKER_TIMEOUT_MS)
    try {
      // Refused Trusted Types and, in some browsers, refused workers throw.
      worker = new Worker(foreignWorkerScript(new URL('./probe-worker.js', script)), {
        type: 'module',
        name: 'minnow-probe',
      })
      worker.onmessage = () => end(true)
      worker.onerror = () => end(false)
    } catch {
      end(false)
    }
  })
}
