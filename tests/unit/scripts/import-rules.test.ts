import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { IMPORT_RULES, type ImportRule } from '../../../scripts/import-rules'

const ARCHITECTURE = readFileSync(new URL('../../../docs/architecture.md', import.meta.url), 'utf8')

/** First and last column of each row of the table of folders. */
const ROWS = new Map(
  [...ARCHITECTURE.matchAll(/^\| `([^`]+)` \|.*\| ([^|]+) \|$/gm)].map(([, path, may]) => [
    path?.replace(/\/$/, ''),
    may,
  ]),
)

function inWords({ may, types, dynamic }: ImportRule): string {
  const parts = [may.map(inTable).join(', ') || 'nothing']
  if (types !== undefined) parts.push(`types of ${types.map(inTable).join(', ')}`)
  if (dynamic !== undefined) parts.push('backends by `import()`')
  return parts.join('; ')
}

function inTable(path: string): string {
  return path.endsWith('.ts') ? `\`${path}\`` : path
}

/** Folders the document names as not built yet, without a row. */
const PLANNED = ['engines']

describe('the table in docs/architecture.md', () => {
  it.each(Object.entries(IMPORT_RULES).filter(([path]) => !PLANNED.includes(path)))(
    'says of %s what the lint checks',
    (path, rule) => {
      expect(ROWS.get(path)).toBe(inWords(rule))
    },
  )

  it.each(PLANNED)('names %s as planned', (path) => {
    expect(ARCHITECTURE).toContain(`\`${path}/\``)
    expect(ROWS.has(path)).toBe(false)
  })
})
