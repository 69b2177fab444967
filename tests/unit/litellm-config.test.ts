import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

interface Config {
  model_list: { model_name: string; litellm_params: Record<string, unknown> }[]
  router_settings: Record<string, unknown>
  general_settings: Record<string, unknown>
}

describe('examples/04-litellm', () => {
  const text = readFileSync(new URL('../../examples/04-litellm/config.yaml', import.meta.url), 'utf8')
  const config = parse(text) as Config
  const names = new Set(config.model_list.map(({ model_name }) => model_name))

  it('falls back on models that it has', () => {
    const kinds = ['fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks']
    const fallbacks = kinds.flatMap((kind) => config.router_settings[kind] as Record<string, string[]>[])
    expect(fallbacks.length).toBeGreaterThan(0)
    for (const [from, to] of fallbacks.flatMap((fallback) => Object.entries(fallback))) {
      expect([...names]).toEqual(expect.arrayContaining([from, ...to]))
    }
  })

  it('takes every secret from the environment', () => {
    const secrets = [
      ...config.model_list.map(({ litellm_params }) => litellm_params['api_key']),
      config.general_settings['master_key'],
      config.general_settings['database_url'],
    ]
    for (const secret of secrets) expect(secret).toMatch(/^(os\.environ\/[A-Z_]+|none)$/)
  })
})
