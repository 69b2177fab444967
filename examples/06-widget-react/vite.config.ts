import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

// Here the package is the repository around this folder.
const root = fileURLToPath(new URL('../..', import.meta.url))

export default defineConfig({
  server: { fs: { allow: [root] } },
  // Bundled beforehand, its parts would not find each other.
  optimizeDeps: { exclude: ['minnow-llm'] },
  cacheDir: `${root}build/vite/06-widget-react`,
})
