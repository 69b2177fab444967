import type { Backend, BackendSession, FollowedLogits, Logits } from '../../src/backend/backend'
import { EngineError } from '../../src/contract/error'

/** Tokens that the fake knows. */
export const FAKE_VOCABULARY = 64

export interface FakeDeviceOptions {
  kind: 'webgpu' | 'wasm'
  maxBatch?: number
  /** Whether the device goes on by itself, as a GPU does. Default: for 'webgpu'. */
  follows?: boolean
  /** The device is lost as soon as this many calls were made. Default: never. */
  lostAfterCalls?: number
  /** After so many calls there is no room for more tokens. Default: always. */
  roomForCalls?: number
  /** Of a session. Default: as many as are wanted. */
  mostTokens?: number
  /** Added to every logit of even ids: a device that computes wrongly. Default 0. */
  error?: number
  /** Of each call. Default: a turn of the event loop. */
  stepMs?: number
}

/**
 * A device with a made-up model: what a token leaves in the cache depends on all that was in it then, so that a cache
 * made anew in another way gives other logits. Logits are wiped by the next call where there is no `follow`.
 */
export class FakeDevice implements Backend {
  readonly kind: 'webgpu' | 'wasm'
  readonly variant = 'fake'
  readonly threads = 1
  readonly maxBatch: number
  readonly weightsBytes = 0
  readonly memoryBytes = 0
  readonly options: FakeDeviceOptions
  calls = 0
  lost = false
  disposed = false
  readonly rejections = new Set<() => void>()

  constructor(options: FakeDeviceOptions) {
    this.options = options
    this.kind = options.kind
    this.maxBatch = options.maxBatch ?? (options.kind === 'webgpu' ? 32 : 8)
  }

  lose(): void {
    this.lost = true
    for (const reject of this.rejections) reject()
  }

  createSession({ contextLength }: { contextLength: number }): BackendSession {
    if (this.disposed) throw new EngineError('disposed', 'The fake device was disposed of.')
    const { mostTokens = Infinity } = this.options
    if (contextLength > mostTokens) {
      throw new EngineError('out-of-memory', `The fake device has room for ${mostTokens} tokens.`)
    }
    const session = new FakeSession(this, contextLength)
    const follows = this.options.follows ?? this.kind === 'webgpu'
    return follows ? Object.assign(session, { follow: () => session.next() }) : session
  }

  dispose(): void {
    this.disposed = true
  }
}

class FakeSession implements BackendSession {
  readonly contextLength: number
  readonly #device: FakeDevice
  readonly #entries: number[] = []
  #newest = -1
  /** What the last call gave, where memory is used again as WebAssembly does. */
  #given: Float32Array[] = []

  constructor(device: FakeDevice, contextLength: number) {
    this.#device = device
    this.contextLength = contextLength
  }

  get length(): number {
    return this.#entries.length
  }

  async forward(tokens: ArrayLike<number>, { outputs = 1 }: { outputs?: number } = {}): Promise<Logits[]> {
    this.#check()
    this.#checkRoom()
    if (tokens.length < 1 || tokens.length > this.#device.maxBatch) {
      throw new EngineError('invalid-argument', `forward() got ${tokens.length} tokens.`)
    }
    const rows: Float32Array[] = []
    for (let i = 0; i < tokens.length; i++) {
      this.#append(tokens[i]!)
      if (i >= tokens.length - outputs) rows.push(this.#row())
    }
    this.#newest = outputs > 0 ? argmaxOf(rows.at(-1)!) : -1
    return this.#done(rows)
  }

  async next(): Promise<FollowedLogits> {
    this.#check()
    this.#checkRoom()
    if (this.#newest < 0) throw new EngineError('invalid-argument', 'follow() continues an output.')
    const token = this.#newest
    this.#append(token)
    const row = this.#row()
    this.#newest = argmaxOf(row)
    return { ...(await this.#done([row]))[0]!, token }
  }

  truncate(length: number): void {
    this.#check()
    this.#entries.length = length
    this.#newest = -1
  }

  shift(from: number, to: number): void {
    this.#check()
    this.#entries.splice(from, to - from)
    this.#newest = -1
  }

  dispose(): void {}

  #append(token: number): void {
    if (this.#entries.length >= this.contextLength)
      throw new EngineError('context-overflow', 'The fake is full.')
    this.#entries.push(this.#mix(token + 1))
  }

  #mix(seed: number): number {
    return this.#entries.reduce((sum, entry) => Math.imul(sum ^ entry, 0x9e3779b1) + 0x7f4a7c15, seed) >>> 0
  }

  #row(): Float32Array {
    const { error = 0 } = this.#device.options
    return Float32Array.from({ length: FAKE_VOCABULARY }, (_, id) => {
      const bits = Math.imul(this.#mix(id * 31 + 7) ^ 0x5bd1e995, 0x27d4eb2f) >>> 0
      return bits / 2 ** 29 + (id % 2 === 0 ? error : 0)
    })
  }

  /** The results, unless the device is lost before they arrive. */
  #done(rows: Float32Array[]): Promise<Logits[]> {
    const device = this.#device
    const { lostAfterCalls = Infinity, stepMs } = device.options
    if (++device.calls > lostAfterCalls) device.lost = true
    return new Promise((resolve, reject) => {
      const lose = (): void => reject(lossOf())
      device.rejections.add(lose)
      const finish = (): void => {
        device.rejections.delete(lose)
        if (device.lost) lose()
        else {
          if (!(device.options.follows ?? device.kind === 'webgpu')) this.#given = rows
          resolve(rows.map((row) => logitsOf(row)))
        }
      }
      if (stepMs === undefined) setImmediate(finish)
      else setTimeout(finish, stepMs)
    })
  }

  #checkRoom(): void {
    if (this.#device.calls >= (this.#device.options.roomForCalls ?? Infinity)) {
      throw new EngineError('out-of-memory', 'The fake has no room for a longer cache.')
    }
  }

  #check(): void {
    if (this.#device.disposed) throw new EngineError('disposed', 'The fake device was disposed of.')
    if (this.#device.lost) throw lossOf()
    for (const row of this.#given) row.fill(Number.NaN)
  }
}

function logitsOf(row: Float32Array): Logits {
  const maximum = Math.max(...row)
  const logSumExp = maximum + Math.log(row.reduce((sum, value) => sum + Math.exp(value - maximum), 0))
  return {
    argmax: argmaxOf(row),
    maximum,
    logSumExp,
    margin: 0,
    entropy: 0,
    top: null,
    values: () => row,
    hidden: () => row.slice(),
  }
}

function lossOf(): EngineError {
  return new EngineError('device-lost', 'The GPU was lost (unknown): fake.')
}

function argmaxOf(row: Float32Array): number {
  return row.indexOf(Math.max(...row))
}
