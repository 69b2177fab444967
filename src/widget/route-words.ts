import type { RouteEvent, SettledRoute } from '../contract/route'
import { percentOf } from './figure-words'
import { strings } from './strings'

export interface Badge {
  readonly text: string
  /** 'doubt' asks for attention; 'away' says that the text came from elsewhere. */
  readonly tone: 'here' | 'away' | 'doubt'
}

/** Whose answer it is, in as few words as can be. */
export function badgeOf({ source, confidence }: SettledRoute, { route: words } = strings()): Badge {
  const sure = confidence === null ? '' : `, ${words.sure(percentOf(confidence))}`
  switch (source.kind) {
    case 'local':
      return { text: `${words.here}${sure}`, tone: 'here' }
    case 'verified':
      return { text: words.checkedBy(source.verifiedBy), tone: 'here' }
    case 'unverified':
      return { text: `${words.notConfirmed}${sure}`, tone: 'doubt' }
    case 'remote':
      return { text: words.answeredBy(source.model), tone: 'away' }
    case 'cache':
      return { text: words.answeredBefore(source.model), tone: 'away' }
  }
}

/** What goes on, while it does. */
export function progressOf(event: Exclude<RouteEvent, SettledRoute>, { route: words } = strings()): string {
  switch (event.type) {
    case 'asking':
      return event.purpose === 'verify' ? words.checks(event.model) : words.asking(event.model)
    case 'upgrading':
      return words.upgrading(event.model)
    case 'restoring':
      return words.restoring(event.model)
  }
}
