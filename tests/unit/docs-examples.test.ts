import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')

/** What the examples of docs/escalation.md take from their surroundings, in the order of the examples. */
const SURROUNDINGS = [
  `import type { AnswerSource, ChatMessage } from 'minnow-llm'
declare const model: string, baseUrl: string, messages: ChatMessage[]
declare function fetchToken(): Promise<string>
declare function showBadge(source: AnswerSource): void`,
  `import type { ChatMessage } from 'minnow-llm'
declare const messages: ChatMessage[], signal: AbortSignal
declare function fetchToken(): Promise<string>`,
  `import { createRemotePool, type Engine } from 'minnow-llm'
declare const ours: Engine, theirs: Engine, longContext: Engine`,
]

test('the examples of docs/escalation.md compile', { timeout: 60_000 }, () => {
  const text = readFileSync(join(ROOT, 'docs/escalation.md'), 'utf8')
  const examples = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code)
  expect(examples).toHaveLength(SURROUNDINGS.length)
  const folder = mkdtempSync(join(ROOT, 'build/examples-'))
  try {
    for (const [index, code] of examples.entries()) {
      writeFileSync(join(folder, `example-${index}.ts`), `${SURROUNDINGS[index]}\n${code}`)
    }
    const compilerOptions = {
      composite: false,
      incremental: false,
      noEmit: true,
      types: [],
      paths: { 'minnow-llm': [join(ROOT, 'src/index.ts')] },
      noUnusedLocals: false,
    }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: join(ROOT, 'tsconfig.page.json'), compilerOptions, include: ['*.ts'] }),
    )
    const { stdout } = spawnSync(
      process.execPath,
      [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder],
      {
        encoding: 'utf8',
      },
    )
    expect(stdout).toBe('')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
