import type { KeptPart } from '../widget/kept-list'

/** Deletes what is named. */
export type KeptRemovers = Readonly<Record<'conversations' | 'documents' | 'usage', () => Promise<void>>>

/** What lies on this device besides models. Settings go with the page. */
export async function readKept(remove: KeptRemovers): Promise<KeptPart[]> {
  const [conversations, documents, usage, settings, page] = await Promise.all([
    sizeOfDatabase('minnow-conversations'),
    sizeOfDatabase('minnow-documents'),
    sizeOfDatabase('minnow-router'),
    sizeOfDatabase('minnow-settings'),
    sizeOfCaches(),
  ])
  return [
    { kind: 'conversations', bytes: conversations, remove: remove.conversations },
    { kind: 'documents', bytes: documents, remove: remove.documents },
    { kind: 'usage', bytes: usage, remove: remove.usage },
    { kind: 'page', bytes: settings + page },
  ]
}

async function sizeOfDatabase(name: string): Promise<number> {
  // To open one that is not there would make it.
  const known = await indexedDB.databases()
  if (!known.some((each) => each.name === name)) return 0
  const database = await resultOf(indexedDB.open(name))
  try {
    let characters = 0
    for (const store of database.objectStoreNames) {
      const rows = await resultOf<unknown[]>(database.transaction(store).objectStore(store).getAll())
      for (const row of rows) characters += JSON.stringify(row).length
    }
    return characters
  } finally {
    database.close()
  }
}

async function sizeOfCaches(): Promise<number> {
  if (!('caches' in globalThis)) return 0
  let bytes = 0
  for (const name of await caches.keys()) {
    const cache = await caches.open(name)
    for (const request of await cache.keys()) {
      const response = await cache.match(request)
      bytes += (await response?.blob())?.size ?? 0
    }
  }
  return bytes
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error ?? new Error('the database gave no reason')))
  })
}
