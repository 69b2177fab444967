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

/** @param folder URL under which the items are kept; nothing is requested there. */
export async function keepShared(form: FormData, folder: URL): Promise<void> {
  // What was shared before and never taken.
  await caches.delete(CACHE)
  const cache = await caches.open(CACHE)
  const texts = ['title', 'text', 'url'].map((name) => form.get(name)).filter(isText)
  await cache.put(new URL('text', folder), new Response([...new Set(texts)].join('\n')))
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
  await caches.delete(CACHE)
  return items
}

function isText(entry: FormDataEntryValue | null): entry is string {
  return typeof entry === 'string' && entry.trim() !== ''
}
