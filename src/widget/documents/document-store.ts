import { openDB, type IDBPDatabase } from 'idb'
import { DOCUMENT_DATABASE } from './document-database'
import type { StoredDocument } from './document-text'

/** Where documents are kept. */
export interface DocumentStore {
  /** Of a conversation, oldest first. What cannot be read is left out. */
  list(conversationId: string): Promise<StoredDocument[]>
  put(document: StoredDocument): Promise<void>
  delete(document: StoredDocument): Promise<void>
  /** Of one conversation; of all without one. */
  clear(conversationId?: string): Promise<void>
  /** Calls back when another tab changed those of a conversation; null: those of all. */
  listen(onOther: (conversationId: string | null) => void): void
  close(): void
}

/** Keeps documents in IndexedDB, as text. Nothing leaves the device. */
export async function openDocumentStore(name = DOCUMENT_DATABASE): Promise<DocumentStore> {
  const database: IDBPDatabase = await openDB(name, 1, {
    upgrade(opened) {
      opened.createObjectStore('documents', { keyPath: 'id' }).createIndex('conversationId', 'conversationId')
    },
    // A newer version in another tab waits for this one otherwise.
    blocking() {
      database.close()
    },
  })
  const channel = new BroadcastChannel(name)
  return {
    async list(conversationId) {
      const rows: unknown[] = await database.getAllFromIndex('documents', 'conversationId', conversationId)
      return rows.filter(isDocument).sort((a, b) => a.at - b.at)
    },
    async put(document) {
      await database.put('documents', document)
      channel.postMessage(document.conversationId)
    },
    async delete({ id, conversationId }) {
      await database.delete('documents', id)
      channel.postMessage(conversationId)
    },
    async clear(conversationId) {
      const transaction = database.transaction('documents', 'readwrite')
      const keys =
        conversationId === undefined
          ? await transaction.store.getAllKeys()
          : await transaction.store.index('conversationId').getAllKeys(conversationId)
      await Promise.all([...keys.map((key) => transaction.store.delete(key)), transaction.done])
      channel.postMessage(conversationId ?? null)
    },
    listen(onOther) {
      channel.addEventListener('message', ({ data }) => onOther(data as string | null))
    },
    close() {
      channel.close()
      database.close()
    },
  }
}

/** Keeps documents while the page is open, where the browser keeps nothing. */
export function openMemoryDocumentStore(): DocumentStore {
  const rows = new Map<string, StoredDocument>()
  return {
    list: (conversationId) =>
      Promise.resolve([...rows.values()].filter((row) => row.conversationId === conversationId)),
    put(document) {
      rows.set(document.id, document)
      return Promise.resolve()
    },
    delete({ id }) {
      rows.delete(id)
      return Promise.resolve()
    },
    clear(conversationId) {
      for (const row of rows.values()) {
        if (conversationId === undefined || row.conversationId === conversationId) rows.delete(row.id)
      }
      return Promise.resolve()
    },
    listen() {},
    close() {},
  }
}

/** What others may have written is checked as far as reading it needs. */
function isDocument(row: unknown): row is StoredDocument {
  if (typeof row !== 'object' || row === null) return false
  const { id, name, text, at, headings, pageStarts } = row as Record<string, unknown>
  return (
    [id, name, text].every((value) => typeof value === 'string') &&
    typeof at === 'number' &&
    Array.isArray(headings) &&
    Array.isArray(pageStarts)
  )
}
