/** Entry of the engine's worker in Node, where it is a thread. */
import { setFlagsFromString } from 'node:v8'
import { parentPort } from 'node:worker_threads'
import { expose } from 'comlink'
import { openNodeModel } from './node-model'
import { createOpenEngine } from './open-engine'
import { createWorkerService } from './service'
import { createStoreService } from './store-service'

// Node 20 keeps relaxed SIMD, which makes tokens half as fast again, behind a flag; later ones don't know the flag.
if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd')

if (parentPort !== null) {
  // Node keeps its models as files: there is no store of them.
  expose(
    createWorkerService(
      createOpenEngine(openNodeModel),
      createStoreService(async () => null),
    ),
    parentPort,
  )
}
