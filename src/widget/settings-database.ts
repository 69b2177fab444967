/** Its name is all that the page needs to know before anything is loaded. */
export const SETTINGS_DATABASE = 'minnow-settings'

/** Whether settings were ever saved here: only then is the router loaded with the page. */
export async function hasSettings(): Promise<boolean> {
  try {
    const databases = await indexedDB.databases()
    return databases.some(({ name }) => name === SETTINGS_DATABASE)
  } catch {
    // No IndexedDB, as in some private windows: nothing can have been saved.
    return false
  }
}
