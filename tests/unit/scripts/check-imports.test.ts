import { describe, expect, it } from 'vitest'
import { checkImports, importsOf } from '../../../scripts/check-imports'

function violationsOf(files: Record<string, string>): string[] {
  return checkImports(new Map(Object.entries(files)))
}

describe('importsOf', () => {
  it('finds every way to name another module', () => {
    const source = [
      "import { a } from './a'",
      "import type { B } from './b'",
      "export { c } from './c'",
      "export type * from './d'",
      "const e = await import('./e')",
      "type F = import('./f').F",
      'const notAnImport = \'import "./g"\'',
    ].join('\n')
    expect(importsOf('x.ts', source)).toEqual([
      { specifier: './a', kind: 'static' },
      { specifier: './b', kind: 'type' },
      { specifier: './c', kind: 'static' },
      { specifier: './d', kind: 'type' },
      { specifier: './e', kind: 'dynamic' },
      { specifier: './f', kind: 'type' },
    ])
  })

  it('refuses a source that does not parse', () => {
    expect(() => importsOf('broken.ts', 'import {')).toThrow(/broken\.ts does not parse/)
  })
})

describe('checkImports', () => {
  it('lets a folder import itself, what the table allows, and packages', () => {
    const files = {
      'contract/error.ts': 'export const code = 1',
      'gguf/types.ts': "import { code } from '../contract/error'",
      'gguf/parse.ts': "import { x } from './types'\nimport { z } from 'zod'",
      'model/definition.ts': "import type { Gguf } from '../gguf/types'",
    }
    expect(violationsOf(files)).toEqual([])
  })

  it.each([
    ['gguf/parse.ts', '../engine/session', 'gguf/parse.ts may not import engine/session.ts'],
    ['contract/engine.ts', '../gguf/types', 'src/contract may import nothing'],
    ['engine/session.ts', '../backend/wasm/load', 'engine/session.ts may not import backend/wasm/load.ts'],
    ['app/main.ts', '../engine/session', 'app/main.ts may not import engine/session.ts'],
    ['elsewhere/file.ts', '../gguf/types', 'elsewhere/file.ts lies in no folder of the table'],
  ])('refuses that %s imports %s', (from, specifier, message) => {
    const violations = violationsOf({
      'engine/session.ts': '',
      'backend/wasm/load.ts': '',
      'gguf/types.ts': '',
      [from]: `import { x } from '${specifier}'`,
    })
    expect(violations).toHaveLength(1)
    expect(violations[0]).toContain(message)
  })

  it('lets the client import the types of the worker, not its code', () => {
    const worker = { 'worker/api.ts': '', 'worker/service.ts': '' }
    expect(violationsOf({ ...worker, 'client/a.ts': "import type { Api } from '../worker/api'" })).toEqual([])
    expect(violationsOf({ ...worker, 'client/a.ts': "import { Api } from '../worker/api'" })).toEqual([
      'client/a.ts may import worker/api.ts only as types',
    ])
    expect(
      violationsOf({ ...worker, 'client/a.ts': "import type { X } from '../worker/service'" }),
    ).toHaveLength(1)
  })

  it('lets the choice of a backend load one only when it is needed', () => {
    const wasm = { 'backend/wasm/load.ts': '' }
    expect(violationsOf({ ...wasm, 'backend/select.ts': "void import('./wasm/load')" })).toEqual([])
    expect(violationsOf({ ...wasm, 'backend/select.ts': "import { load } from './wasm/load'" })).toEqual([
      'backend/select.ts may import backend/wasm/load.ts only by import() or as types',
    ])
  })

  it('refuses an import that leaves src/', () => {
    expect(violationsOf({ 'gguf/parse.ts': "import { x } from '../../scripts/x'" })).toHaveLength(1)
  })
})
