/**
 * What makes a page cross-origin isolated, without which there are no threads. 'require-corp' and not
 * 'credentialless': the page asks other origins by CORS only, which both allow, and every browser knows the first.
 */
const ISOLATION: Readonly<Record<string, string>> = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
}

/** The response with the headers of cross-origin isolation, and `more`, where the host sent none of that name. */
export function isolate(response: Response, more: Readonly<Record<string, string>> = {}): Response {
  // A redirect that the browser is to follow itself, or an error: neither can be rebuilt.
  if (response.status === 0) return response
  const headers = new Headers(response.headers)
  for (const [name, value] of Object.entries({ ...ISOLATION, ...more })) {
    if (!headers.has(name)) headers.set(name, value)
  }
  const { status, statusText } = response
  return new Response(response.body, { status, statusText, headers })
}
