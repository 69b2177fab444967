import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'vite'
import { checkDirection, type ImportKind } from './import-rules'

/** A module specifier as a file states it. */
export interface ImportStatement {
  readonly specifier: string
  readonly kind: ImportKind
}

/** All imports, re-exports, `import()` and `import('…')` types of a TypeScript source. */
export function importsOf(path: string, source: string): ImportStatement[] {
  const { program, errors } = parseSync(path, source, { lang: 'ts' })
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message ?? 'unknown error'}`)
  const found: ImportStatement[] = []
  visit(program, (node) => {
    const kind = kindOf(node)
    const specifier = isRecord(node['source']) ? node['source']['value'] : undefined
    if (kind !== null && typeof specifier === 'string') found.push({ specifier, kind })
  })
  return found
}

function kindOf(node: Record<string, unknown>): ImportKind | null {
  switch (node['type']) {
    case 'ImportDeclaration':
      return node['importKind'] === 'type' ? 'type' : 'static'
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      return node['exportKind'] === 'type' ? 'type' : 'static'
    case 'ImportExpression':
      return 'dynamic'
    case 'TSImportType':
      return 'type'
    default:
      return null
  }
}

function visit(value: unknown, found: (node: Record<string, unknown>) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, found)
  } else if (isRecord(value)) {
    if (typeof value['type'] === 'string') found(value)
    for (const child of Object.values(value)) visit(child, found)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/**
 * Checks every relative import of the sources under `src/` against the table of directions.
 * `sources` maps a path relative to `src/` (with '/') to its text.
 * @returns one sentence a violation, in the order of the files.
 */
export function checkImports(sources: ReadonlyMap<string, string>): string[] {
  const violations: string[] = []
  for (const [path, source] of sources) {
    for (const { specifier, kind } of importsOf(path, source)) {
      if (!specifier.startsWith('.')) continue
      const target = resolve(path, specifier, sources)
      // Outside src/: built kernels (build/) are data, not modules of the architecture.
      if (target.startsWith('../build/')) continue
      const violation = checkDirection(path, target, kind)
      if (violation !== null) violations.push(violation)
    }
  }
  return violations
}

function resolve(from: string, specifier: string, sources: ReadonlyMap<string, string>): string {
  const path = posix.join(posix.dirname(from), specifier.replace(/\?.*$/, ''))
  return [path, `${path}.ts`, `${path}/index.ts`].find((candidate) => sources.has(candidate)) ?? path
}

function readSources(folder: string): Map<string, string> {
  const sources = new Map<string, string>()
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  for (const name of names.map((each) => each.replaceAll('\\', '/')).toSorted()) {
    // The kernels are AssemblyScript and import only each other: asc refuses what lies outside their folder.
    if (name.startsWith('backend/wasm/kernels/') || !name.endsWith('.ts')) continue
    sources.set(name, readFileSync(join(folder, name), 'utf8'))
  }
  return sources
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = fileURLToPath(new URL('../src', import.meta.url))
  if (!existsSync(folder)) throw new Error(`${folder} does not exist`)
  const sources = readSources(folder)
  const violations = checkImports(sources)
  for (const violation of violations) console.error(violation)
  console.log(`Import directions: ${sources.size} files, ${violations.length} violations.`)
  process.exitCode = violations.length === 0 ? 0 : 1
}
