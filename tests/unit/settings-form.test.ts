import { expect, test } from 'vitest'
import { readDraft } from '../../src/widget/settings-form'

const draft = (baseUrl: string): Parameters<typeof readDraft>[0] => ({
  policyText: '{}',
  baseUrl,
  model: 'm',
  inputPrice: '',
  outputPrice: '',
})

test.each([
  'https://api.example/v1?api-key=sk-0123456789',
  'https://api.example/v1?api-version=1&k=sk-0123456789',
  'https://api.example/v1#token=sk-0123456789',
  'https://user:sk-0123456789@api.example/v1',
])('an address with a place for a key is not kept: %s', (baseUrl) => {
  const read = readDraft(draft(baseUrl), '2026-01-01')
  const { title = '', detail = '' } = ('errors' in read && read.errors.baseUrl) || {}
  expect(`${title} ${detail}`).toMatch(/key/)
  expect(JSON.stringify(read)).not.toContain('sk-')
})

test('other addresses are', () => {
  for (const baseUrl of [
    'https://api.example/v1',
    'https://azure.example/openai/v1?api-version=2026-01-01',
  ]) {
    expect(readDraft(draft(baseUrl), '2026-01-01')).toMatchObject({ remote: { baseUrl } })
  }
})
