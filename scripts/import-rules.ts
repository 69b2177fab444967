/** How a file refers to another: as values at load, as values later, or as types only. */
export type ImportKind = 'static' | 'dynamic' | 'type'

/** One row of the table in docs/architecture.md. Paths are relative to `src/`; a folder stands for all in it. */
export interface ImportRule {
  /** May be imported in any way. */
  readonly may: readonly string[]
  /** May be imported as types only. */
  readonly types?: readonly string[]
  /** May be imported as types or by `import()`, so that it is loaded only when it is needed. */
  readonly dynamic?: readonly string[]
}

const BACKENDS = ['backend/reference', 'backend/wasm', 'backend/webgpu']

/** The longest matching path decides; every file under `src/` must match one. */
export const IMPORT_RULES: Readonly<Record<string, ImportRule>> = {
  'index.ts': { may: ['client', 'router', 'http', 'contract'] },
  http: { may: ['contract'] },
  contract: { may: [] },
  app: { may: ['widget', 'client', 'router', 'contract'] },
  widget: { may: ['client', 'router', 'contract'] },
  embed: { may: ['client', 'contract', 'worker/service.ts'], types: ['worker/api.ts'] },
  router: { may: ['contract'] },
  client: { may: ['contract'], types: ['worker/api.ts'] },
  worker: { may: ['engine', 'model', 'gguf', 'tokenizer', 'backend', 'engines', 'store', 'contract'] },
  cli: { may: ['client', 'router', 'http', 'workbench', 'contract'] },
  workbench: { may: ['engine', 'model', 'gguf', 'tokenizer', 'backend', 'store', 'contract'] },
  engine: { may: ['model', 'tokenizer', 'backend/backend.ts', 'contract'] },
  model: { may: ['gguf', 'contract'] },
  gguf: { may: ['contract'] },
  tokenizer: { may: ['gguf', 'contract'] },
  'backend/backend.ts': { may: ['contract'], types: ['model'] },
  'backend/reference': { may: ['backend/backend.ts', 'model', 'gguf', 'contract'] },
  'backend/wasm': { may: ['backend/backend.ts', 'model', 'gguf', 'contract'] },
  'backend/webgpu': { may: ['backend/backend.ts', 'model', 'gguf', 'contract'] },
  'backend/device': { may: ['backend/backend.ts', 'contract'] },
  'backend/select.ts': { may: ['backend/backend.ts', 'backend/device', 'contract'], dynamic: BACKENDS },
  engines: { may: ['contract'] },
  store: { may: ['contract'] },
  testing: { may: ['contract'], types: ['backend/backend.ts'] },
}

/**
 * Whether the file `from` may import the file `to` (both relative to `src/`, with '/').
 * @returns null, or what is wrong in words.
 */
export function checkDirection(from: string, to: string, kind: ImportKind): string | null {
  const fromZone = zoneOf(from)
  if (fromZone === null) return `${from} lies in no folder of the table in scripts/import-rules.ts`
  const toZone = zoneOf(to)
  if (toZone === null) return `${from} imports ${to}, which lies in no folder of the table`
  if (fromZone === toZone) return null
  const rule = IMPORT_RULES[fromZone]
  if (rule === undefined || covers(rule.may, to)) return null
  if (covers(rule.dynamic, to)) {
    return kind === 'static' ? `${from} may import ${to} only by import() or as types` : null
  }
  if (covers(rule.types, to)) return kind === 'type' ? null : `${from} may import ${to} only as types`
  const allowed = [...rule.may, ...(rule.types ?? []), ...(rule.dynamic ?? [])]
  return `${from} may not import ${to}: src/${fromZone} may import ${allowed.join(', ') || 'nothing'}`
}

function zoneOf(path: string): string | null {
  let longest: string | null = null
  for (const zone of Object.keys(IMPORT_RULES)) {
    if (contains(zone, path) && zone.length > (longest?.length ?? 0)) longest = zone
  }
  return longest
}

function covers(zones: readonly string[] | undefined, path: string): boolean {
  return zones?.some((zone) => contains(zone, path)) ?? false
}

function contains(zone: string, path: string): boolean {
  return path === zone || path.startsWith(`${zone}/`)
}
