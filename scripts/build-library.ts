/**
 * Builds the library and the command line into `dist`: ES modules and their declarations. Not by Vite's library mode:
 * that would turn `new Worker(new URL('./worker.js', import.meta.url))` into something users' bundlers no
 * longer see.
 */
import { builtinModules } from 'node:module'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown, type Plugin } from 'rolldown'
import { elementsManifest } from './elements-manifest'

const root = join(import.meta.dirname, '..')
const outDir = join(root, 'dist')

/** Where the sources name an entry of another thread, and the file it becomes beside `index.js`. */
const THREAD_ENTRIES: Readonly<Record<string, string>> = {
  '../worker/worker.ts': './worker.js',
  '../worker/node-entry.ts': './node-worker.js',
  './thread.ts': './thread.js',
}

/** Entries of the library, which bundlers read; not made smaller than what nobody uses. */
const LIBRARY_ENTRIES: Readonly<Record<string, string>> = {
  index: 'src/index.ts',
  worker: 'src/worker/worker.ts',
  'probe-worker': 'src/worker/probe-worker.ts',
  'node-worker': 'src/worker/node-entry.ts',
  thread: 'src/backend/wasm/thread.ts',
  cli: 'src/cli/main.ts',
  testing: 'src/testing/index.ts',
  'widget-element': 'src/widget/index.ts',
}

/** Entries that pages load as they are, from any origin; worker, threads and kernels they take from the library. */
const PAGE_ENTRIES: Readonly<Record<string, string>> = {
  widget: 'src/widget/widget.ts',
  embed: 'src/embed/embed.ts',
}

/** Kernels lie beside the modules that fetch them. */
const KERNELS = '../../../build/kernels/'

function threadEntries(): Plugin {
  return {
    name: 'minnow-thread-entries',
    transform(code) {
      let changed = code
      for (const [source, built] of Object.entries(THREAD_ENTRIES)) {
        changed = changed.replaceAll(`'${source}'`, `'${built}'`)
      }
      changed = changed.replaceAll(`'${KERNELS}`, `'./`)
      return changed === code ? null : { code: changed, map: null }
    },
  }
}

/**
 * In a page of someone else's, rem is theirs, and often 10 px: lengths of the widget's elements follow its own
 * font size. Not those of media queries, which mean the browser's.
 */
function ownLengths(): Plugin {
  const folder = join(root, 'src/widget')
  return {
    name: 'minnow-own-lengths',
    transform(code, id) {
      if (!id.startsWith(folder)) return null
      const lines = code.split('\n').map((line) => {
        const isQuery = /@(?:media|container)/.test(line)
        return isQuery
          ? line
          : line.replaceAll(/(?<![\w.])(-?\d*\.?\d+)rem\b/g, 'calc($1 * var(--_rem, 1rem))')
      })
      return { code: lines.join('\n'), map: null }
    },
  }
}

async function bundle(input: Readonly<Record<string, string>>, isForPages: boolean): Promise<void> {
  const build = await rolldown({
    cwd: root,
    input,
    // @hono/node-server imports some by their old names.
    external: [/^node:/, ...builtinModules],
    plugins: [threadEntries(), ownLengths()],
  })
  await build.write({
    dir: outDir,
    format: 'esm',
    entryFileNames: '[name].js',
    // Beside the entries, where `new URL('./…', import.meta.url)` means the same in all of them.
    chunkFileNames: isForPages ? 'page-[name]-[hash].js' : 'chunk-[name]-[hash].js',
    assetFileNames: '[name][extname]',
    minify: isForPages ? true : 'dce-only',
  })
  await build.close()
}

function copyFiles(): void {
  const kernels = join(root, 'build/kernels')
  for (const file of readdirSync(kernels)) {
    if (file.endsWith('.wasm')) copyFileSync(join(kernels, file), join(outDir, file))
  }
  copyFileSync(join(root, 'src/embed/embed.html'), join(outDir, 'embed.html'))
  writeFileSync(join(outDir, 'custom-elements.json'), `${JSON.stringify(elementsManifest(), null, 2)}\n`)
}

/** Declarations of what `index.ts` and `testing/index.ts` reach, with file extensions, as Node's resolution wants them. */
function declarations(): void {
  const types = join(outDir, 'types')
  rmSync(types, { recursive: true, force: true })
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.declarations.json'), '--outDir', types], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  for (const file of readdirSync(types, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.d.ts')) continue
    const path = join(types, file)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replaceAll(/(from |import\()(['"])(\.{1,2}\/[^'"]+)\2/g, '$1$2$3.js$2'))
  }
}

function removeOldModules(): void {
  mkdirSync(outDir, { recursive: true })
  for (const file of readdirSync(outDir)) {
    if (/\.(js|wasm|html|json|d\.ts)$/.test(file)) rmSync(join(outDir, file))
  }
}

export async function buildLibrary({ types = true }: { types?: boolean } = {}): Promise<void> {
  removeOldModules()
  await bundle(LIBRARY_ENTRIES, false)
  await bundle(PAGE_ENTRIES, true)
  copyFiles()
  if (types) declarations()
}

if (process.argv[1] === import.meta.filename) {
  await buildLibrary()
  const built = readdirSync(outDir).filter((file) => file.endsWith('.js'))
  console.error(`dist: ${built.join(', ')}`)
}
