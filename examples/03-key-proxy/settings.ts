import type { ProxySettings } from './proxy'

/** Settings from variables of the environment. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): ProxySettings {
  const need = (name: string): string => {
    const value = env[name]
    if (value === undefined || value === '') throw new Error(`Set ${name}.`)
    return value
  }
  const list = (name: string): string[] => {
    const entries = need(name)
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '')
    if (entries.length === 0) throw new Error(`Set ${name}.`)
    return entries
  }
  const visitors = list('PROXY_VISITORS')
  return {
    upstreamUrl: need('UPSTREAM_URL'),
    upstreamKey: need('UPSTREAM_KEY'),
    tokenSecret: need('TOKEN_SECRET'),
    origins: list('PROXY_ORIGINS'),
    models: list('PROXY_MODELS'),
    // Stands for your login: who shows one of these codes may have tokens. Read your session here instead.
    identify(request) {
      const code = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1]
      const index = code === undefined ? -1 : visitors.indexOf(code)
      return index === -1 ? null : `visitor-${index}`
    },
  }
}
