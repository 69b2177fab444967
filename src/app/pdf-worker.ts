// Where PDFs are parsed: https://mozilla.github.io/pdf.js, which speaks to whoever opened this worker. The build for
// older browsers: the other one needs what Safari 17 and Firefox ESR lack.
// oxlint-disable-next-line import/no-unassigned-import -- it listens to whoever opened this worker
import 'pdfjs-dist/legacy/build/pdf.worker.min.mjs'
