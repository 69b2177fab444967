import type { Engine } from '../contract/engine'
import { EngineError } from '../contract/error'
import { loadEngine } from './create-engine'
import { FRAME_CONNECT, FRAME_READY } from './frame-messages'
import type { CreateSharedEngineOptions } from './shared-engine'
import type { WorkerHandle } from './worker-link'

export interface CreateFrameEngineOptions extends CreateSharedEngineOptions {
  /** URL of `embed.html`, which lies beside Minnow's scripts. Default: beside this one. */
  frame?: string | URL
}

/** How long a frame may take to start, in milliseconds. */
const FRAME_TIMEOUT_MS = 20_000

/**
 * An engine in a hidden frame of Minnow's own origin: for pages whose Content-Security-Policy lets no worker
 * or WebAssembly run. They need `frame-src` for that origin only. All frames of that origin in this browser
 * that have the same page at the top share one engine (`createSharedEngine`).
 *
 * @throws EngineError as createEngine() does; 'unsupported' where the frame does not start
 */
export async function createFrameEngine(options: CreateFrameEngineOptions = {}): Promise<Engine> {
  const { frame = defaultFrameUrl(), ...settings } = options
  const url = new URL(frame, document.baseURI)
  return loadEngine(settings, () => openFrame(url, settings.signal))
}

function defaultFrameUrl(): URL {
  const module = import.meta.url
  return new URL('./embed.html', module)
}

function openFrame(url: URL, signal: AbortSignal | undefined): Promise<WorkerHandle> {
  const frame = document.createElement('iframe')
  return new Promise<WorkerHandle>((resolve, reject) => {
    const listening = new AbortController()
    const listen = { signal: listening.signal }
    const fail = (reason: unknown): void => {
      listening.abort()
      clearTimeout(timer)
      frame.remove()
      reject(reason)
    }
    const refuse = (why: string): void =>
      fail(new EngineError('unsupported', `The frame ${url.href} ${why}.`, { details: { reason: 'frame' } }))
    const timer = setTimeout(
      () => refuse("did not answer: it is missing, or its server's frame-ancestors forbids it here"),
      FRAME_TIMEOUT_MS,
    )
    addEventListener(
      'message',
      ({ source, origin, data }: MessageEvent<unknown>) => {
        const target = frame.contentWindow
        if (target === null || source !== target || origin !== url.origin || data !== FRAME_READY) return
        listening.abort()
        clearTimeout(timer)
        const { port1, port2 } = new MessageChannel()
        target.postMessage(FRAME_CONNECT, url.origin, [port2])
        port1.start()
        resolve(handleOf(frame, port1))
      },
      listen,
    )
    document.addEventListener(
      'securitypolicyviolation',
      ({ effectiveDirective, blockedURI }) => {
        if (effectiveDirective === 'frame-src' && url.href.startsWith(blockedURI)) {
          refuse(`is forbidden by this page's Content-Security-Policy: frame-src lacks ${url.origin}`)
        }
      },
      listen,
    )
    signal?.addEventListener('abort', () => fail(signal.reason), { ...listen, once: true })
    frame.src = url.href
    // Passed on where both pages are isolated: then the engine there has threads.
    frame.allow = 'cross-origin-isolated'
    frame.tabIndex = -1
    frame.ariaHidden = 'true'
    frame.style.cssText = 'position:absolute;width:0;height:0;border:0;visibility:hidden'
    document.body.append(frame)
  })
}

/** The frame as if it were a worker. */
function handleOf(frame: HTMLIFrameElement, port: MessagePort): WorkerHandle {
  const life = new AbortController()
  return {
    endpoint: port,
    usesLifeLock: false,
    onLost(listener) {
      port.addEventListener('messageerror', () => listener('sent what cannot be read'))
      addEventListener(
        'message',
        ({ source, data }: MessageEvent<unknown>) => {
          if (source === frame.contentWindow && data === FRAME_READY) listener('was loaded anew in its frame')
        },
        { signal: life.signal },
      )
    },
    terminate() {
      life.abort()
      port.close()
      frame.remove()
    },
  }
}
