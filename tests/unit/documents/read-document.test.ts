import * as fakes from 'fake-indexeddb'
import { describe, expect, it, vi } from 'vitest'
import type { StoredDocument } from '../../../src/widget/documents/document-text'
import { DOCUMENT_LIMITS } from '../../../src/widget/documents/document-text'
import { openDocumentStore } from '../../../src/widget/documents/document-store'
import { readDocument, type ReadOptions } from '../../../src/widget/documents/read-document'
import { writePdf } from '../../fixtures/pdf-writer'

/** pdf.js draws as well, which nothing here does; Node lacks what it draws with. */
const openPdf = async () => {
  ;(globalThis as { DOMMatrix?: unknown }).DOMMatrix ??= Object
  return { library: await import('pdfjs-dist/legacy/build/pdf.mjs'), worker: null }
}

function read(name: string, content: string | Uint8Array, options: Partial<ReadOptions> = {}) {
  return readDocument(new File([content as Uint8Array<ArrayBuffer>], name), { openPdf, ...options })
}

describe('readDocument', () => {
  it('knows kinds by bytes and name, and encodings', async () => {
    expect(await read('a.md', '# Title\n\nText')).toMatchObject({
      kind: 'markdown',
      headings: [{ title: 'Title' }],
    })
    expect(await read('a.log', 'plain')).toMatchObject({ kind: 'text', text: 'plain', pageStarts: [] })
    expect(await read('a.txt', new Uint8Array([0xff, 0xfe, 0x68, 0, 0x69, 0]))).toMatchObject({ text: 'hi' })
    expect(await read('a.txt', new Uint8Array([0x63, 0x61, 0x66, 0xe9]))).toMatchObject({ text: 'café' })
    expect(await read('a.txt', '\ufeffcafé\r\n')).toMatchObject({ text: 'café\n' })
  })

  it('says why a file cannot be used', async () => {
    const fault = (reason: string) => ({ code: 'invalid-argument', details: { reason } })
    await expect(read('a.bin', new Uint8Array([1, 0, 2]))).rejects.toMatchObject(fault('not-text'))
    await expect(read('a.txt', ' \n\n')).rejects.toMatchObject(fault('no-text'))
    const limits = { ...DOCUMENT_LIMITS, fileBytes: 9, characters: 4 }
    await expect(read('a.txt', '0123456789', { limits })).rejects.toMatchObject(fault('too-large'))
    await expect(read('a.txt', '01234', { limits })).rejects.toMatchObject(fault('too-large'))
    await expect(read('a.txt', 'text', { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
  })

  it('reads PDFs page by page', async () => {
    const bytes = writePdf([
      ['The library opens at ten and', 'closes at six.', '', '', 'Cards are free (for chil-', 'dren).'],
      [],
      ['Page three.'],
    ])
    const fractions: number[] = []
    const { kind, text, pageStarts } = await read('a.pdf', bytes, {
      onProgress: (value) => fractions.push(value),
    })
    expect(kind).toBe('pdf')
    expect(text).toBe(
      'The library opens at ten and\ncloses at six.\n\nCards are free (for children).\n\nPage three.',
    )
    expect(pageStarts).toEqual([0, text.indexOf('\n\nPage'), text.indexOf('Page three')])
    expect(fractions).toEqual([1 / 3, 2 / 3, 1])
  })

  it('says what is wrong with a PDF', async () => {
    const fault = (reason: string) => ({ code: 'invalid-argument', details: { reason } })
    const bytes = writePdf([['One.'], ['Two.']])
    const broken = new TextEncoder().encode('%PDF-1.4\nthis is none')
    await expect(read('a.pdf', broken)).rejects.toMatchObject(fault('broken'))
    await expect(read('a.pdf', 'no PDF at all')).rejects.toMatchObject(fault('broken'))
    await expect(read('a.pdf', writePdf([['x']], { encrypted: true }))).rejects.toMatchObject(
      fault('password'),
    )
    await expect(read('a.pdf', writePdf([[]]))).rejects.toMatchObject(fault('no-text'))
    const onePage = { ...DOCUMENT_LIMITS, pages: 1 }
    await expect(read('a.pdf', bytes, { limits: onePage })).rejects.toMatchObject(fault('too-many-pages'))
    const short = { ...DOCUMENT_LIMITS, characters: 5 }
    await expect(read('a.pdf', bytes, { limits: short })).rejects.toMatchObject(fault('too-large'))
    // pdf.js mends what it can.
    await expect(read('a.pdf', bytes.slice(0, -20))).resolves.toMatchObject({ text: 'One.\n\nTwo.' })
  })

  it('stops reading a PDF when it is told', async () => {
    const controller = new AbortController()
    const reading = read('a.pdf', writePdf(Array.from({ length: 50 }, () => ['Line.'])), {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    })
    await expect(reading).rejects.toThrow('enough')
  })
})

describe('openDocumentStore', () => {
  const row = (id: string, conversationId: string, at: number): StoredDocument => ({
    id,
    conversationId,
    name: `${id}.txt`,
    kind: 'text',
    text: id,
    headings: [],
    pageStarts: [],
    sizeBytes: 1,
    at,
  })

  it('keeps documents by conversation', async () => {
    for (const [name, fake] of Object.entries(fakes)) if (name.startsWith('IDB')) vi.stubGlobal(name, fake)
    vi.stubGlobal('indexedDB', new fakes.IDBFactory())
    const store = await openDocumentStore('test-documents')
    await store.put(row('b', 'one', 2))
    await store.put(row('a', 'one', 1))
    await store.put(row('c', 'two', 3))
    await store.put({ ...row('x', 'one', 4), text: 5 } as unknown as StoredDocument)
    expect((await store.list('one')).map(({ id }) => id)).toEqual(['a', 'b'])
    await store.delete(row('a', 'one', 1))
    await store.clear('two')
    expect(await store.list('two')).toEqual([])
    expect(await store.list('one')).toHaveLength(1)
    await store.clear()
    expect(await store.list('one')).toEqual([])
    store.close()
  })
})
