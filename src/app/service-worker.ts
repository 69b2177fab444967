/**
 * The service worker of the page: keeps the page's files so that it starts without a network, isolates the page on
 * hosts that send no headers for that, and takes what other programs share. Models are none of its business: the
 * store keeps them, and their requests, like those to other origins, pass it untouched.
 */
import { getCacheKeyForURL, matchPrecache, precache, type PrecacheEntry } from 'workbox-precaching'
import { isolate } from './isolation'
import { WORKER_POLICY } from './security-policy'
import { keepShared } from './shared-items'

declare const self: ServiceWorkerGlobalScope & {
  /** All files of the page, with a hash each; written here by the build. */
  readonly filesToKeep: readonly (PrecacheEntry | string)[]
}

const scope = new URL(self.registration.scope)
const start = new URL('index.html', scope).href
const sharePath = new URL('share', scope).pathname

// All new files are there before this version takes over, and the old ones until then.
precache([...self.filesToKeep])

self.addEventListener('activate', (event) => {
  // The page that registered it gains the files it has not loaded yet.
  event.waitUntil(self.clients.claim())
})

self.addEventListener('message', (event) => {
  // Said by the page when the visitor wants the new version and no answer is running.
  if (event.data === 'skip-waiting') void self.skipWaiting()
})

self.addEventListener('fetch', (event) => {
  const answer = answerTo(event.request)
  if (answer !== null) event.respondWith(answer)
})

/** null leaves the request to the browser. */
function answerTo(request: Request): Promise<Response> | null {
  const url = new URL(request.url)
  if (url.origin !== scope.origin) return null
  const isNavigation = request.mode === 'navigate'
  if (request.method === 'POST') return isNavigation && url.pathname === sharePath ? receive(request) : null
  if (request.method !== 'GET' || request.headers.has('range')) return null
  if (isNavigation) return openPage(request, url)
  const kept = keptUrl(url)
  if (request.destination === 'worker') return openWorker(request, kept)
  return kept === null ? null : fetchKept(request, kept)
}

async function openPage(request: Request, url: URL): Promise<Response> {
  const kept = keptUrl(url)
  if (kept !== null) return isolate(await fetchKept(request, kept))
  try {
    return isolate(await fetch(request))
  } catch {
    // Not its files under another URL: they are named relative to it.
    return Response.redirect(scope.href)
  }
}

async function openWorker(request: Request, kept: string | null): Promise<Response> {
  const response = await (kept === null ? fetch(request) : fetchKept(request, kept))
  return isolate(response, { 'content-security-policy': WORKER_POLICY })
}

/** Browsers may drop what is kept. */
async function fetchKept(request: Request, kept: string): Promise<Response> {
  return (await matchPrecache(kept)) ?? fetch(request)
}

/** The URL a file is kept under, whatever follows `?`; null where it is not. */
function keptUrl({ origin, pathname }: URL): string | null {
  const url = pathname === scope.pathname ? start : origin + pathname
  return getCacheKeyForURL(url) === undefined ? null : url
}

async function receive(request: Request): Promise<Response> {
  const id = crypto.randomUUID()
  await keepShared(await request.formData(), new URL(`shared/${id}/`, scope))
  return Response.redirect(new URL(`./?shared=${id}`, scope).href, 303)
}
