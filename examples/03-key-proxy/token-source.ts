/**
 * For the page: `apiKey` of createRemoteEngine(). Fetches a token when there is none or it is about to end; calls at the
 * same time share one.
 *
 *   const remote = createRemoteEngine({ baseUrl: `${proxy}/v1`, model: 'gpt-4o-mini', apiKey: tokenSource(proxy) })
 */
export function tokenSource(
  proxyUrl: string,
  login: RequestInit = { credentials: 'include' },
): () => Promise<string> {
  let current: { token: Promise<string>; renewAt: number } | undefined
  const renew = (): { token: Promise<string>; renewAt: number } => {
    const renewal = { token: fetchToken(), renewAt: Infinity }
    async function fetchToken(): Promise<string> {
      try {
        const response = await fetch(`${proxyUrl}/token`, { ...login, method: 'POST' })
        if (!response.ok) throw new Error(`The key proxy answered with status ${response.status}.`)
        const answer = (await response.json()) as { token: string; expiresInSeconds: number }
        // At half its life.
        renewal.renewAt = Date.now() + answer.expiresInSeconds * 500
        return answer.token
      } catch (error) {
        current = undefined
        throw error
      }
    }
    return renewal
  }
  return () => {
    if (current === undefined || Date.now() >= current.renewAt) current = renew()
    return current.token
  }
}
