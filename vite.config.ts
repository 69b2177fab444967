import { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, type Plugin } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'

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
  plugins: [
    screenshots(),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: '.',
      filename: 'service-worker.ts',
      // `public/manifest.webmanifest` and `src/app/updates.ts` are ours.
      manifest: false,
      injectRegister: false,
      injectManifest: {
        rollupFormat: 'iife',
        injectionPoint: 'self.filesToKeep',
        globPatterns: ['**/*.{html,js,css,wasm,svg,png,webmanifest}'],
        // The benchmark is no part of the page, and pictures of the page none of what works offline.
        globIgnores: ['bench.html', 'assets/{bench,judge}-*', 'models/**', 'screenshots/**'],
        // Names with a hash of the bundler need no other.
        dontCacheBustURLsMatching: /^assets\//,
      },
    }),
    models(),
  ],
})

/** What installers show, always as the page looks now. */
function screenshots(): Plugin {
  return {
    name: 'minnow-screenshots',
    apply: 'build',
    generateBundle() {
      for (const screen of ['desktop', 'phone']) {
        const source = readFileSync(join(root, `docs/images/page-conversation-${screen}-light.png`))
        this.emitFile({ type: 'asset', fileName: `screenshots/${screen}.png`, source })
      }
    },
  }
}

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
