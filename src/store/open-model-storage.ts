import { openIndexedDbModels } from './indexed-db-models'
import type { ModelStorage } from './model-storage'
import { openOpfsModels } from './opfs-models'

/** The best this browser has here: OPFS, IndexedDB, or null (some private windows, Node). */
export async function openModelStorage(): Promise<ModelStorage | null> {
  return (await openOpfsModels().catch(() => null)) ?? openIndexedDbModels().catch(() => null)
}
