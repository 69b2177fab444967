import { fileURLToPath } from 'node:url'
import { serve } from '../../scripts/serve'

/** Serves this folder, the built library and the models with the headers that threads need. */
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const { origin } = await serve({
  mounts: { '/': at('.'), '/dist/': at('../../dist'), '/models/': at('../../models') },
  port: 0,
})
console.log(`${origin}/ (stop with Ctrl+C)`)
