/** Entry of the engine's worker in Node, where it is a thread. */
import { parentPort } from 'node:worker_threads'
import { expose, type Endpoint } from 'comlink'
import { openNodeModel } from './node-model'
import { createOpenEngine } from './open-engine'
import { createWorkerService } from './service'

// Node's MessagePort is an event target as well; only its types don't say so.
if (parentPort !== null) {
  expose(createWorkerService(createOpenEngine(openNodeModel)), parentPort as unknown as Endpoint)
}
