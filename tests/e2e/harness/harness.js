// The library as it is published, by a plain import, for what tests evaluate in this page.
globalThis.minnow = await import('/dist/index.js')
