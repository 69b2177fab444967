import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  ChatCompletions,
  Engine,
  EngineInfo,
  RequestOptions,
} from '../contract/engine'
import { EngineError } from '../contract/error'
import { createEngine, type CreateEngineOptions } from './create-engine'
import { defaultModelUrl, toModelReference } from './model-reference'
import { SharedMember, type SharedPlatform } from './shared-member'
import type { SharedHostOptions } from './shared-host'

/** As for `createEngine()`; a model is shared by its URL, and a worker of the caller's is nobody else's. */
export interface CreateSharedEngineOptions extends Omit<CreateEngineOptions, 'model' | 'worker'> {
  /** URL of a manifest or of a GGUF file. Default: the embedded SmolLM2-135M-Instruct. */
  model?: string | URL
}

/** Changes with the messages: pages of other versions of Minnow do not share with this one. */
const PROTOCOL = 1

/** The shared engines of this page. */
let ofPage: SharedEngines | null = null

/**
 * An engine that all pages and tabs of this origin share, as far as they ask for the same model with the same
 * options: one download, one worker, one copy in memory. One page has it and answers for all; when that page
 * is closed, put to sleep or loses its worker, another one takes over. A request under way is then asked
 * again with the same seed and goes on where it broke off; where the repeated answer differs (another device
 * computes), it fails with 'worker-lost'. Each page that shares it must dispose of its own. Where there are
 * no Web Locks (Node, pages that are not a secure context), only the callers in one page share.
 *
 * @throws EngineError as createEngine() does; 'invalid-argument' where the model is not a URL
 */
export async function createSharedEngine(options: CreateSharedEngineOptions = {}): Promise<Engine> {
  const { signal, onProgress, model = defaultModelUrl(), ...settings } = options
  signal?.throwIfAborted()
  const reference = toModelReference(model)
  if (reference.kind !== 'url') {
    throw new EngineError(
      'invalid-argument',
      'A shared engine needs the URL of a model. Use createEngine() for files and bytes.',
    )
  }
  const known = Object.entries({ ...settings, model: reference.url }).filter(
    ([, value]) => value !== undefined,
  )
  const name = `minnow-engine-${PROTOCOL} ${JSON.stringify(known.toSorted(([a], [b]) => (a < b ? -1 : 1)))}`
  ofPage ??= new SharedEngines(browserPlatform())
  return ofPage.open(name, (loading) => createEngine({ ...settings, model: reference.url, ...loading }), {
    signal,
    onProgress,
  })
}

/** One member for each engine that is used here, and a handle for each caller. */
export class SharedEngines {
  readonly #platform: SharedPlatform
  readonly #entries = new Map<string, { member: SharedMember; handles: number }>()

  constructor(platform: SharedPlatform) {
    this.#platform = platform
  }

  /** @param name stands for the model and all its options */
  async open(
    name: string,
    open: SharedHostOptions['open'],
    {
      signal,
      onProgress,
    }: { signal?: AbortSignal | undefined; onProgress?: CreateEngineOptions['onProgress'] },
  ): Promise<Engine> {
    const entry = this.#entries.get(name) ?? {
      member: new SharedMember(name, open, this.#platform),
      handles: 0,
    }
    this.#entries.set(name, entry)
    entry.handles++
    const release = (): void => {
      if (--entry.handles > 0) return
      this.#entries.delete(name)
      entry.member.close()
    }
    try {
      await entry.member.whenReady(signal, (state) => {
        if (state.phase === 'loading' && state.progress !== null) onProgress?.(state.progress)
      })
    } catch (error) {
      release()
      throw error
    }
    return new SharedEngine(entry.member, release)
  }
}

/** One caller's handle. */
class SharedEngine implements Engine {
  readonly chat: { readonly completions: ChatCompletions }
  readonly #member: SharedMember
  readonly #release: () => void
  readonly #life = new AbortController()

  constructor(member: SharedMember, release: () => void) {
    this.#member = member
    this.#release = release
    const create = async (
      params: ChatCompletionParams,
      { signal }: RequestOptions = {},
    ): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>> => {
      const signals = signal === undefined ? [this.#life.signal] : [signal, this.#life.signal]
      return this.#member.ask(params, AbortSignal.any(signals))
    }
    // The overloads part streaming from not streaming by `params.stream`, as `create` does.
    this.chat = { completions: { create: create as ChatCompletions['create'] } }
  }

  get info(): EngineInfo {
    return this.#member.info
  }

  async dispose(): Promise<void> {
    if (this.#life.signal.aborted) return
    this.#life.abort(new EngineError('disposed', 'The engine was disposed of. Create a new one.'))
    this.#release()
  }
}

function browserPlatform(): SharedPlatform {
  const isPage = typeof document !== 'undefined' && typeof BroadcastChannel !== 'undefined'
  return {
    locks: isPage ? (navigator.locks ?? null) : null,
    openChannel: (name) => new BroadcastChannel(name),
    tickMs: 5000,
    onRest(rest, wake) {
      if (!isPage) return () => undefined
      const listening = new AbortController()
      const { signal } = listening
      addEventListener('pagehide', rest, { signal })
      addEventListener('pageshow', wake, { signal })
      document.addEventListener('freeze', rest, { signal })
      document.addEventListener('resume', wake, { signal })
      return () => listening.abort()
    },
  }
}
