/** Entry of the engine's module worker in browsers. */
import { expose } from 'comlink'
import { NoteStorage } from '../store/note-storage'
import { createOpenEngine } from './open-engine'
import { openWebModel } from './open-web-model'
import { createWorkerService } from './service'

expose(createWorkerService(createOpenEngine(openWebModel, new NoteStorage())), globalThis)
