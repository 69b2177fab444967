import type { ModelRecord } from './model-record'

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
