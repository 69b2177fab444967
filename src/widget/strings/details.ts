import { en } from './details-en'
import { StringTable } from './table'

export type { DetailStrings } from './details-en'

/** What is told of an answer's way on request. */
export const detailStrings = new StringTable(en, { de: async () => (await import('./details-de')).de })
