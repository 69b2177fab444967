import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from '@playwright/test'

/** A Chromium to start, and how. */
export interface Chromium {
  readonly executablePath: string
  readonly args: readonly string[]
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/**
 * Looks for a Chromium: `MINNOW_CHROMIUM`, Playwright's own, one on PATH; as root on Debian or Ubuntu it then
 * installs the distribution's package.
 * @throws Error that says what was tried and what to do.
 */
export function findChromium(): Chromium {
  const executablePath = chosen() ?? playwrightsOwn() ?? onPath() ?? installed()
  if (executablePath === null) {
    throw new Error(
      `No Chromium found: tried Playwright's own (${chromium.executablePath()}), ${NAMES.join(', ')} on PATH` +
        `${canInstall() ? ' and "apt-get install chromium"' : ''}. Run "npx playwright install chromium", ` +
        "install your system's Chromium or Chrome, or set MINNOW_CHROMIUM to its path.",
    )
  }
  // Chromium's sandbox refuses to run as root.
  return { executablePath, args: isRoot() ? ['--no-sandbox'] : [] }
}

function chosen(): string | null {
  const path = process.env['MINNOW_CHROMIUM']
  if (path === undefined || path === '') return null
  if (!isExecutable(path)) throw new Error(`MINNOW_CHROMIUM is "${path}", which is not an executable file.`)
  return path
}

function playwrightsOwn(): string | null {
  const path = chromium.executablePath()
  return existsSync(path) ? path : null
}

function onPath(): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of NAMES) {
      const path = join(folder, process.platform === 'win32' ? `${name}.exe` : name)
      if (folder !== '' && isExecutable(path)) return path
    }
  }
  return null
}

function installed(): string | null {
  if (!canInstall()) return null
  console.error("No Chromium here: installing the distribution's package with apt-get.")
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  try {
    execFileSync('apt-get', ['update', '-q'], { stdio: 'inherit', env })
    execFileSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'chromium'], {
      stdio: 'inherit',
      env,
    })
  } catch (error) {
    console.error(`apt-get failed: ${error instanceof Error ? error.message : String(error)}`)
    return null
  }
  return onPath()
}

function canInstall(): boolean {
  return isRoot() && process.platform === 'linux' && isDebianLike()
}

function isDebianLike(): boolean {
  try {
    return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
