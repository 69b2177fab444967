/** Entry of the engine's module worker in browsers. */
import { expose } from 'comlink'
import { NoteStorage } from '../store/note-storage'
import { createOpenEngine } from './open-engine'
import { openModelStorage } from '../store/open-model-storage'
import { openWebModel } from './open-web-model'
import { createWorkerService } from './service'
import { createStoreService } from './store-service'

const openEngine = createOpenEngine(openWebModel, new NoteStorage())
expose(createWorkerService(openEngine, createStoreService(openModelStorage)), globalThis)
