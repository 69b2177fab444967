import { describe, expect, it } from 'vitest'
import { EngineError, type EngineErrorCode } from '../../src/contract/error'
import { describeError } from '../../src/widget/error-words'
import { strings } from '../../src/widget/strings'
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

describe('the words of an error', () => {
  it('speak of the connection where a part of the page does not come', () => {
    const { network, internal } = strings().errors
    for (const message of [
      'Failed to fetch dynamically imported module: https://example.org/a.js',
      'error loading dynamically imported module: https://example.org/a.js',
      'Importing a module script failed.',
    ]) {
      expect(describeError(new TypeError(message))).toEqual({ title: network, detail: message })
    }
    expect(describeError(new TypeError('x is no function')).title).toBe(internal)
    expect(describeError(new EngineError('network', 'x')).title).toBe(network)
  })
})
