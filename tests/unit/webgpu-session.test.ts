import { describe, expect, it } from 'vitest'
import { type SessionHost, WebGpuSession } from '../../src/backend/webgpu/session'

const MIB = 2 ** 20

/** A session of Qwen3-0.6B's shape on a device with these bindings. */
function open(contextLength: number, maxBindingBytes: number): WebGpuSession {
  const host = {
    model: { kvHeadCount: 8, headDim: 128, layers: Array.from({ length: 28 }) },
    memory: { maxBindingBytes },
    maxBatch: 256,
  } as unknown as SessionHost
  return new WebGpuSession(host, contextLength)
}

describe('a session on a GPU', () => {
  it('is refused at once where its KV cache would outgrow a binding', () => {
    expect(() => open(40_960, 128 * MIB)).toThrow(
      expect.objectContaining({
        code: 'out-of-memory',
        details: { sizeBytes: 160 * MIB, limitBytes: 128 * MIB, contextLength: 32_768 },
      }),
    )
    expect(open(32_768, 128 * MIB).contextLength).toBe(32_768)
  })

  it('tells what its KV cache may grow to', () => {
    expect(open(2048, 128 * MIB).cacheBytes).toBe(28 * 8 * MIB)
    // A page at least.
    expect(open(10, 128 * MIB).cacheBytes).toBe(28 * MIB)
  })
})
