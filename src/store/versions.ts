import { isEngineError } from '../contract/error'
import { absoluteUrl } from './http'
import type { Manifest } from './manifest'
import type { ModelRecord } from './model-record'
import type { ModelRecords } from './model-records'
import { fetchManifest } from './model-url'
import { piecesOf } from './pieces'

export interface ChosenVersion {
  readonly key: string
  /** True for one that did not load when it was tried: better ask the network for another first. */
  readonly isLastResort: boolean
}

/** A version that took its worker along this often is not tried again while an older one works. */
const MOST_ATTEMPTS = 2

/** Which of the whole models that `url` stands for is to be loaded: the newest, if it is not known to fail. */
export function chooseVersion(records: ReadonlyMap<string, ModelRecord>, url: string): ChosenVersion | null {
  const versions = [...records]
    .filter(([, { sources, complete }]) => complete && sources.includes(url))
    .toSorted(([, a], [, b]) => b.addedAt - a.addedAt)
  const hasProven = versions.some(([, { state }]) => state === 'proven')
  const good = versions.find(
    ([, { state, attempts }]) =>
      state === 'proven' || (state === 'untried' && !(hasProven && attempts >= MOST_ATTEMPTS)),
  )
  const [key] = good ?? versions[0] ?? []
  return key === undefined ? null : { key, isLastResort: good === undefined }
}

/** A version made an engine: older ones and those that failed go. A newer one may be on its way. */
export async function prove(records: ModelRecords, key: string, url: string | undefined): Promise<void> {
  await records.update(key, { state: 'proven', attempts: 0, lastUsedAt: Date.now() })
  const all = await records.all()
  const addedAt = all.get(key)?.addedAt ?? 0
  for (const [other, { sources, imported, state, addedAt: otherAddedAt }] of all) {
    if (url === undefined || other === key || !sources.includes(url)) continue
    if (otherAddedAt > addedAt && state !== 'failed') continue
    const left = sources.filter((source) => source !== url)
    // One that another tab still reads goes another time.
    if (left.length === 0 && !imported) await records.delete(other).catch(() => undefined)
    else await records.update(other, { sources: left })
  }
}

/** No engine could be made of a version. @returns whether another one is to be tried */
export async function blame(
  records: ModelRecords,
  key: string,
  url: string | undefined,
  error: unknown,
): Promise<boolean> {
  const isItsOwn =
    isEngineError(error) && ['invalid-model', 'unsupported', 'integrity', 'internal'].includes(error.code)
  const record = await records.get(key)
  if (!isItsOwn || record === null || record.state === 'proven') return false
  await records.update(key, { state: 'failed' })
  if (url === undefined) return false
  const other = chooseVersion(await records.all(), url)
  if (other === null || other.isLastResort) return false
  const { sha256 } = record.manifest
  await records.change(
    other.key,
    (known) => known && { ...known, update: null, refused: [...new Set([...known.refused, sha256])] },
  )
  return true
}

/**
 * Asks a model's source for a newer version and writes down what it says. null: there is none, or it is here already, or
 * it did not load here. Rejects with 'network' or 'invalid-model'.
 */
export async function findUpdate(
  records: ModelRecords,
  key: string,
  signal: AbortSignal,
): Promise<{ manifest: Manifest; urls: URL[] } | null> {
  const known = await records.get(key)
  const urls = known?.sources.map(absoluteUrl) ?? []
  if (known === null || urls.length === 0) return null
  const manifest = await firstManifest(urls, signal)
  const { sha256, name, sizeBytes } = manifest
  const isSame = sha256 === known.manifest.sha256
  const isNew = !isSame && !known.refused.includes(sha256) && (await records.keyOf(sha256)) === null
  const update = isNew ? { sha256, name, sizeBytes } : null
  // The same file with another name or probe.
  const kept = isSame && hashesOf(manifest) === hashesOf(known.manifest) ? manifest : known.manifest
  if (JSON.stringify([update, kept]) !== JSON.stringify([known.update, known.manifest])) {
    await records.update(key, { update, manifest: kept })
  }
  return isNew ? { manifest, urls } : null
}

function hashesOf(manifest: Manifest): string {
  return piecesOf(manifest)
    .map(({ sha256 }) => sha256)
    .join()
}

/** Of the first of these URLs that answers, apart from those of whole files. Rejects as fetchManifest() does. */
export async function firstManifest(urls: readonly URL[], signal: AbortSignal): Promise<Manifest> {
  let failure: unknown
  for (const url of urls.filter(({ pathname }) => pathname.endsWith('.json'))) {
    try {
      return await fetchManifest(url, { signal })
    } catch (error) {
      signal.throwIfAborted()
      failure ??= error
    }
  }
  throw failure
}
