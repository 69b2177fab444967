import { afterEach, describe, expect, it, vi } from 'vitest'
import { findChromium } from '../../../scripts/find-chromium'

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('findChromium', () => {
  it('takes the one that MINNOW_CHROMIUM names', () => {
    vi.stubEnv('MINNOW_CHROMIUM', process.execPath)
    expect(findChromium().executablePath).toBe(process.execPath)
  })

  it('refuses a MINNOW_CHROMIUM that is no executable, rather than to take another', () => {
    vi.stubEnv('MINNOW_CHROMIUM', '/nowhere/chromium')
    expect(() => findChromium()).toThrow('MINNOW_CHROMIUM is "/nowhere/chromium"')
  })

  it('leaves the sandbox on for everyone but root', () => {
    vi.stubEnv('MINNOW_CHROMIUM', process.execPath)
    expect(findChromium().args).toEqual(process.getuid?.() === 0 ? ['--no-sandbox'] : [])
  })
})
