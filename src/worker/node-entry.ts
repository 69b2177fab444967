/** Entry of the engine's worker in Node, where it is a thread. */
import { parentPort } from 'node:worker_threads'
import { expose } from 'comlink'
import { openNodeModel } from './node-model'
import { createOpenEngine } from './open-engine'
import { createWorkerService } from './service'

if (parentPort !== null) {
  expose(createWorkerService(createOpenEngine(openNodeModel)), parentPort)
}
