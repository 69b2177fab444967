/**
 * What other programs share with the installed page comes as a POST, which only the service worker sees. It puts the
 * items where the page, which it then opens, takes them from.
 */
export interface SharedItems {
  readonly text: string
  readonly files: readonly File[]
}

const CACHE = 'minnow-shared'
const NAME_HEADER = 'x-minnow-name'
const AT_HEADER = 'x-minnow-at'
/** A page that opens takes them within seconds. */
const KEPT_MS = 3_600_000

/** @param folder URL under which the items are kept; nothing is requested there. */
export async function keepShared(form: FormData, folder: URL): Promise<void> {
  const cache = await caches.open(CACHE)
  await deleteOld(cache)
  const texts = ['title', 'text', 'url'].map((name) => form.get(name)).filter(isText)
  const text = new Response([...new Set(texts)].join('\n'), { headers: { [AT_HEADER]: String(Date.now()) } })
  await cache.put(new URL('text', folder), text)
  const files = form.getAll('files').filter((entry) => entry instanceof File)
  await Promise.all(
    files.map((file, index) => {
      const headers = {
        [NAME_HEADER]: encodeURIComponent(file.name),
        'content-type': file.type || 'application/octet-stream',
      }
      return cache.put(new URL(`file-${index}`, folder), new Response(file, { headers }))
    }),
  )
}

/** Gives the items once; null where there are none. */
export async function takeShared(folder: URL): Promise<SharedItems | null> {
  const cache = await caches.open(CACHE)
  const text = await cache.match(new URL('text', folder))
  if (text === undefined) return null
  const files: File[] = []
  for (let index = 0; ; index++) {
    const response = await cache.match(new URL(`file-${index}`, folder))
    if (response === undefined) break
    const name = decodeURIComponent(response.headers.get(NAME_HEADER) ?? '')
    const blob = await response.blob()
    files.push(new File([blob], name, { type: blob.type }))
  }
  const items = { text: await text.text(), files }
  await deleteFolder(cache, folder.href)
  return items
}

/** What was shared and never taken. */
async function deleteOld(cache: Cache): Promise<void> {
  for (const { url } of await cache.keys()) {
    const at = url.endsWith('/text') ? (await cache.match(url))?.headers.get(AT_HEADER) : null
    const isOld = typeof at === 'string' && Date.now() - Number(at) > KEPT_MS
    if (isOld) await deleteFolder(cache, new URL('.', url).href)
  }
}

async function deleteFolder(cache: Cache, folder: string): Promise<void> {
  const requests = (await cache.keys()).filter(({ url }) => url.startsWith(folder))
  await Promise.all(requests.map((request) => cache.delete(request)))
}

function isText(entry: FormDataEntryValue | null): entry is string {
  return typeof entry === 'string' && entry.trim() !== ''
}
