/** Its name is all that a page needs to know before documents are loaded. */
export const DOCUMENT_DATABASE = 'minnow-documents'

/** Whether documents were ever kept here: only then are they loaded with the page. */
export async function hasDocuments(): Promise<boolean> {
  try {
    const databases = await indexedDB.databases()
    return databases.some(({ name }) => name === DOCUMENT_DATABASE)
  } catch {
    // No IndexedDB, as in some private windows: nothing can have been kept.
    return false
  }
}
