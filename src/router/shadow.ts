import { openHop } from './remote-hop'
import type { RouteRun } from './route-run'

/**
 * Asks the remote unseen what was answered locally, for a share of the requests, and writes down whether it says the same.
 * It obeys privacy and consent as every hop does, never asks the user, and is not charged to any budget. Never rejects.
 */
export async function runShadow(run: RouteRun, answer: string, signal: AbortSignal): Promise<void> {
  const { parts, entry, params } = run
  const share = parts.policy().shadow?.share ?? 0
  const isLocal = entry.source?.kind === 'local' || entry.source?.kind === 'unverified'
  if (share === 0 || !isLocal || parts.random() >= share) return
  try {
    // The request is over: its reader may abort it by habit, and only the router's end stops this.
    const hop = await openHop({ ...run, signal }, 'shadow', params)
    if ('denied' in hop) return
    let text = ''
    for await (const part of hop.parts) text += part.text
    entry.shadowAgreed = plain(text) === plain(answer)
  } catch {
    // What it sent and what it cost is in the ledger; that it failed changes nothing.
  }
  await parts.ledger.put(entry).catch(() => undefined)
}

const plain = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
