import { describe, expect, it } from 'vitest'
import { EngineError, type EngineErrorCode } from '../../src/contract/error'
import { chooseRemedy, type Remedies, type Remedy } from '../../src/widget/error-remedy'

const ALL = Object.fromEntries(
  (['retry', 'new-conversation', 'settings', 'models', 'processor'] as const).map((kind) => [
    kind,
    () => kind,
  ]),
) as Remedies

const kindFor = (code: EngineErrorCode, remedies: Remedies): Remedy | null =>
  chooseRemedy(new EngineError(code, 'x'), remedies)?.kind ?? null

describe('the button beside an error', () => {
  it('does what its words say, by code', () => {
    expect(kindFor('context-overflow', ALL)).toBe('new-conversation')
    expect(kindFor('unauthorized', ALL)).toBe('settings')
    expect(kindFor('storage-full', ALL)).toBe('models')
    expect(kindFor('invalid-model', ALL)).toBe('models')
    expect(kindFor('device-lost', ALL)).toBe('processor')
    expect(kindFor('network', ALL)).toBe('retry')
    expect(chooseRemedy(new TypeError('x'), ALL)?.kind).toBe('retry')
  })

  it('is the next best where the best cannot be had, and none where nothing helps', () => {
    expect(kindFor('out-of-memory', { ...ALL, processor: undefined })).toBe('retry')
    expect(kindFor('unsupported', { ...ALL, processor: undefined })).toBe('models')
    expect(kindFor('network', { ...ALL, retry: undefined })).toBeNull()
    expect(kindFor('content-policy', ALL)).toBeNull()
    expect(kindFor('invalid-argument', ALL)).toBeNull()
  })
})
