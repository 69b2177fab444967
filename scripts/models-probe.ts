import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseManifest } from '../src/store/manifest'
import { openModelFolder } from '../src/store/node-file'
import { probeOf } from '../src/workbench/model-probe'

// Makes the probe of models that were added without one: npm run models:probe -- models/ID …
const folders = process.argv.slice(2)
if (folders.length === 0) {
  console.error('npm run models:probe -- FOLDER …\nMakes the probe in the manifest of each folder anew.')
  process.exitCode = 2
}
for (const folder of folders) {
  const { manifest, source } = await openModelFolder(folder)
  const probe = await probeOf(source)
  if (probe === null) {
    console.error(`${folder}: Minnow does not run this model, so there is nothing to test a device with`)
    process.exitCode = 1
    continue
  }
  const { chunks, ...described } = manifest
  const written = parseManifest({ ...described, probe, chunks })
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(written, null, 2)}\n`)
  console.log(`${folder}: a probe of ${probe.tokens.length} tokens`)
}
