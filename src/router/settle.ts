import type { AnswerSource } from '../contract/route'
import { plainMessage } from './facts'
import { costOf } from './ledger'
import { decide, priceFor, standing, type RouteRun } from './route-run'

/** Writes down whose answer it is and what it cost, and hands it to people where the policy wants that. */
export async function settle(
  run: RouteRun,
  source: AnswerSource,
  { text, completionTokens }: { text: string; completionTokens: number },
): Promise<void> {
  const { entry, parts, facts } = run
  entry.source = source
  const price = entry.remoteModel === null ? priceFor(run) : entry.price
  entry.cost.priced = price !== null
  if (price !== null && source.kind !== 'remote') {
    const { localIn, localOut } = entry.tokens
    const always = costOf(price, localIn || facts.promptTokens, localOut || completionTokens)
    entry.cost.savedUsd = Math.max(0, always - entry.cost.spentUsd)
  }
  await handToPeople(run, source, text)
  entry.latencyMs.total = parts.now() - entry.at
  await parts.ledger.put(entry).catch(() => undefined)
}

async function handToPeople(run: RouteRun, source: AnswerSource, answer: string): Promise<void> {
  const { entry, parts, params } = run
  const { human } = run.settings
  if (human !== 'always' && (human !== 'unresolved' || source.kind !== 'unverified')) return
  const { reason, confidence, threshold } = standing(run)
  const item = {
    id: entry.id,
    at: parts.now(),
    user: entry.user,
    scope: entry.scope,
    messages: params.messages.map(plainMessage),
    answer,
    confidence: entry.confidence,
    reason,
  }
  entry.human = true
  decide(run, { action: 'human', stage: 'after', reason, confidence, threshold })
  await parts.people.put(item).catch(() => undefined)
  parts.onHuman(item)
}
