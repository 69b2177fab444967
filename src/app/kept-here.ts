/** Bytes of what lies on this device besides models, about: as it would be written to a file. */
export interface KeptHere {
  readonly conversations: number
  readonly documents: number
  /** What the router wrote down: answers with what was sent for them, questions that wait, settings. */
  readonly usage: number
  /** The page's own files. */
  readonly page: number
}

export async function measureKept(): Promise<KeptHere> {
  const [conversations, documents, router, settings, page] = await Promise.all([
    sizeOfDatabase('minnow-conversations'),
    sizeOfDatabase('minnow-documents'),
    sizeOfDatabase('minnow-router'),
    sizeOfDatabase('minnow-settings'),
    sizeOfCaches(),
  ])
  return { conversations, documents, usage: router + settings, page }
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
