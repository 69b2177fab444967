import type { PdfOpener } from '../widget/documents/read-document'

/** The library that reads PDFs, and a worker for one of them. */
export const openPdf: PdfOpener = async () => ({
  library: await import('pdfjs-dist/legacy/build/pdf.mjs'),
  worker: new Worker(new URL('./pdf-worker.ts', import.meta.url), { type: 'module' }),
})
