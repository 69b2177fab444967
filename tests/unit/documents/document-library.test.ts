import * as fakes from 'fake-indexeddb'
import { afterEach, describe, expect, it } from 'vitest'
import { DocumentLibrary } from '../../../src/widget/documents/document-library'
import { openDocumentStore, type DocumentStore } from '../../../src/widget/documents/document-store'
import { createMockEngine } from '../../../src/testing/index'

// What `idb` asks of the global scope.
Object.assign(globalThis, fakes, { indexedDB: new fakes.IDBFactory() })

const stores: DocumentStore[] = []

/** As a tab that shows a conversation has it. */
async function openTab(conversation: string): Promise<DocumentLibrary> {
  const store = await openDocumentStore()
  stores.push(store)
  const openPdf = (): never => {
    throw new Error('There is no PDF here.')
  }
  const library = new DocumentLibrary({ store, openPdf, onChange: () => undefined })
  await library.open(conversation)
  return library
}

function names({ documents }: DocumentLibrary): string[] {
  return documents.map(({ name }) => name)
}

describe('documents of a conversation', () => {
  afterEach(() => {
    for (const store of stores.splice(0)) store.close()
  })

  it('are the same in all tabs that show it, and gone from all when they are deleted', async () => {
    const [first, second, other] = [await openTab('one'), await openTab('one'), await openTab('two')]
    await other.add(new File(['The gate is green.'], 'gate.txt'))
    const rules = await first.add(new File(['The tower is red.'], 'tower.txt'))
    await first.add(new File(['The wall is white.'], 'wall.txt'))
    await expect.poll(() => names(second)).toEqual(['tower.txt', 'wall.txt'])
    expect(second.summaryEngineOver(createMockEngine(), rules.id)).not.toBeNull()

    await first.remove(rules.id)
    await expect.poll(() => names(second)).toEqual(['wall.txt'])
    expect(second.summaryEngineOver(createMockEngine(), rules.id)).toBeNull()

    await first.forget('one')
    await expect.poll(() => names(second)).toEqual([])
    expect(names(other)).toEqual(['gate.txt'])
    await first.forget()
    await expect.poll(() => names(other)).toEqual([])
  })
})
