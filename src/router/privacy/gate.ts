import type { ChatCompletionParams } from '../../contract/engine'
import { EngineError } from '../../contract/error'
import type { OutgoingRequest } from '../../contract/route'
import type { PersonalDataPolicy } from '../policy/schema'
import { createVault, type AnyScan, type Vault } from './vault'

/** A request as it may leave. */
export interface Outgoing {
  readonly params: ChatCompletionParams
  readonly vault: Vault
  /**
   * Checks again what is really about to leave; called for every attempt.
   * @throws EngineError 'forbidden'
   */
  recheck(request: OutgoingRequest): Promise<void>
}

export type Passage =
  | { readonly outgoing: Outgoing }
  | { readonly denied: 'personal-data' | 'scan-failed'; readonly cause?: unknown }

/** Words of the protocol, not of people. */
const PROTOCOL_KEYS = new Set(['role', 'type', 'model'])

/**
 * Makes of a request what may leave the device, by the policy on personal data. All texts in it are looked at, wherever
 * they stand: messages, tool arguments, stop strings. If the scan fails, nothing may leave.
 */
export async function passGate(
  params: ChatCompletionParams,
  { action }: PersonalDataPolicy,
  scan: AnyScan,
): Promise<Passage> {
  if (action !== 'allow' && params.messages.some(hasMedia)) {
    const cause = new EngineError('unsupported', 'Images and sound cannot be scanned for personal data.')
    return { denied: 'scan-failed', cause }
  }
  // Minnow's own settings stay here; so does the wish to stream, which the caller of the remote makes anew.
  const { minnow: _minnow, ...plain } = params
  const vault = createVault(action === 'allow' ? () => [] : scan, textsOf(plain))
  try {
    if (action !== 'redact') {
      for (const text of textsOf(plain)) {
        if ((await vault.findings(text)).length > 0) return { denied: 'personal-data' }
      }
    }
    const redacted = new Map<string, string>()
    for (const text of textsOf(plain)) redacted.set(text, await vault.redact(text))
    const outgoing = mapTexts(plain, (text) => redacted.get(text) ?? text) as ChatCompletionParams
    return {
      outgoing: {
        params: outgoing,
        vault,
        recheck: (request) => recheck(request, Object.keys(outgoing), vault),
      },
    }
  } catch (cause) {
    return { denied: 'scan-failed', cause }
  }
}

function hasMedia({ content }: { content?: unknown }): boolean {
  return Array.isArray(content) && content.some((part: { type?: unknown } | null) => part?.type !== 'text')
}

/** `keys` are those of the request; what else a remote adds is its own configuration: it never saw what was taken out. */
async function recheck({ body }: OutgoingRequest, keys: readonly string[], vault: Vault): Promise<void> {
  let texts = [body]
  try {
    const fields: unknown = JSON.parse(body)
    if (typeof fields === 'object' && fields !== null && 'messages' in fields) {
      texts = textsOf(Object.fromEntries(Object.entries(fields).filter(([key]) => keys.includes(key))))
    }
  } catch {
    // No JSON: looked at as a whole.
  }
  for (const text of texts) {
    let found
    try {
      found = await vault.findings(text)
    } catch (cause) {
      throw new EngineError('forbidden', 'The scan for personal data failed, so nothing was sent.', {
        cause,
        details: { reason: 'scan-failed' },
      })
    }
    const kinds = [...new Set(found.map(({ kind }) => kind))]
    if (kinds.length > 0) {
      throw new EngineError(
        'forbidden',
        `A request was stopped: it held personal data (${kinds.join(', ')}) that had not been taken out.`,
        { details: { reason: 'personal-data', kinds: kinds.join(',') } },
      )
    }
  }
}

/** All texts of a value, at any depth, besides words of the protocol. */
export function textsOf(value: unknown): string[] {
  const texts: string[] = []
  mapTexts(value, (text) => {
    texts.push(text)
    return text
  })
  return texts
}

/** The same value with other texts. */
export function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, map))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, PROTOCOL_KEYS.has(key) ? each : mapTexts(each, map)]),
  )
}
