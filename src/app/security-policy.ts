/**
 * What workers may do, where the model runs: nothing but compute, and fetch from their own origin. They take it from
 * the response of their script, not from the page; so servers send it, and the service worker adds it where the host
 * sends none. The page's own policy stands in its HTML.
 */
export const WORKER_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
].join('; ')
