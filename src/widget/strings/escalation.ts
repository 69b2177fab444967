import { en } from './escalation-en'
import { StringTable } from './table'

/** What is said of asking a bigger model. */
export const escalationStrings = new StringTable(en, { de: async () => (await import('./escalation-de')).de })
