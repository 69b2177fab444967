import { copyFileSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, type Plugin } from 'vite'

const root = import.meta.dirname
const outDir = join(root, 'dist/site')

/** The page: `dist/site` is all of it, models included, and can be put on any static host. */
export default defineConfig({
  root: join(root, 'src/app'),
  base: './',
  publicDir: join(root, 'public'),
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy has no `data:`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: ['index', 'bench'].map((page) => join(root, `src/app/${page}.html`)),
    },
  },
  worker: { format: 'es' },
  plugins: [models()],
})

/** Puts the models beside the page: as hard links, so that they take no room twice. */
function models(): Plugin {
  return {
    name: 'minnow-models',
    apply: 'build',
    closeBundle() {
      const from = join(root, 'models')
      for (const folder of readdirSync(from, { withFileTypes: true })) {
        if (!folder.isDirectory()) continue
        const target = join(outDir, 'models', folder.name)
        rmSync(target, { recursive: true, force: true })
        mkdirSync(target, { recursive: true })
        for (const file of readdirSync(join(from, folder.name))) {
          const source = join(from, folder.name, file)
          try {
            linkSync(source, join(target, file))
          } catch {
            // Another file system, or one without links.
            copyFileSync(source, join(target, file))
          }
        }
      }
    },
  }
}
