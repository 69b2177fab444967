import { html, nothing, type TemplateResult } from 'lit'
import type { Usage } from '../contract/engine'
import type { SentRecord, SettledRoute } from '../contract/route'
import type { LedgerEntry } from '../router/ledger'
import { countOf, moneyOf, percentOf, secondsOf } from './figure-words'
import { explain } from './route-words'
import { markedText, redactionNote } from './sent-text'

const PURPOSES: Readonly<Record<SentRecord['purpose'], string>> = {
  answer: 'to be answered',
  verify: 'to check the answer of this device',
  shadow: 'to compare, unseen',
}

/** An answer with what is known of it. */
export interface Answered {
  readonly route: SettledRoute
  /** null where no ledger knows it. */
  readonly entry: LedgerEntry | null
  /** What it took, where no ledger knows. */
  readonly usage: Usage | null
}

/** Why, cost, tokens, times, and what was sent to the letter. */
export function answerDetails({ route, entry, usage }: Answered): TemplateResult {
  const rows: (readonly [string, string])[] = [['Why', explain(route)]]
  const { confidence, decision } = route
  if (confidence !== null) {
    const wanted =
      decision.threshold === null ? '' : `; wanted: ${percentOf(Math.min(1, decision.threshold))}`
    rows.push(['Confidence', `${percentOf(confidence)} likely to be right${wanted}`])
  }
  rows.push(['Cost', costOf(route)], ...figuresOf(entry, usage))
  return html`
    <dl>
      ${rows.map(
        ([term, words]) =>
          html`<div>
            <dt>${term}</dt>
            <dd>${words}</dd>
          </div>`,
      )}
    </dl>
    <h3>What was sent</h3>
    ${
      route.sent.length === 0
        ? html`<p>Nothing left this device.</p>`
        : route.sent.map(
            (sent) => html`
              <p class="destination">
                To <strong>${sent.to}</strong>, ${PURPOSES[sent.purpose]}
                ${sent.attempt > 1 ? `, attempt ${sent.attempt}` : nothing}
              </p>
              ${redactionNote(sent.redacted)}
              <pre tabindex="0" aria-label="The exact text">${markedText(sent.text, sent.redacted)}</pre>
            `,
          )
    }
  `
}

function figuresOf(entry: LedgerEntry | null, usage: Usage | null): (readonly [string, string])[] {
  if (entry === null) {
    if (usage === null) return []
    const { timeToFirstTokenMs, decodeMs } = usage.minnow
    return [
      ['Tokens', `${countOf(usage.prompt_tokens)} read, ${countOf(usage.completion_tokens)} written here`],
      [
        'Time',
        `${secondsOf(timeToFirstTokenMs + decodeMs)}; first word after ${secondsOf(timeToFirstTokenMs)}`,
      ],
    ]
  }
  const { tokens, latencyMs } = entry
  const parts: string[] = []
  if (tokens.localIn + tokens.localOut > 0) {
    const unseen = tokens.wastedLocal > 0 ? ` (${countOf(tokens.wastedLocal)} not shown)` : ''
    parts.push(`here ${countOf(tokens.localIn)} read, ${countOf(tokens.localOut)} written${unseen}`)
  }
  if (tokens.remoteIn + tokens.remoteOut > 0) {
    const guess = tokens.estimated ? ', about' : ''
    parts.push(`away${guess} ${countOf(tokens.remoteIn)} read, ${countOf(tokens.remoteOut)} written`)
  }
  const times = [
    ['first word after', latencyMs.firstText ?? 0],
    ['this device', latencyMs.local],
    ['bigger model', latencyMs.remote],
    ['search for personal data', latencyMs.scan],
    ['waiting for your consent', latencyMs.consent],
  ] as const
  return [
    ['Tokens', parts.join('; ') || 'none'],
    [
      'Time',
      [
        `${secondsOf(latencyMs.total)} in all`,
        ...times.filter(([, ms]) => ms > 0).map(([words, ms]) => `${words} ${secondsOf(ms)}`),
      ].join('; '),
    ],
  ]
}

function costOf({ cost, sent }: SettledRoute): string {
  if (cost.spentUsd > 0) {
    const saved = cost.savedUsd > 0 ? `, ${moneyOf(cost.savedUsd)} saved` : ''
    return `${moneyOf(cost.spentUsd)} spent${saved}`
  }
  if (sent.length > 0 && !cost.priced) return 'not known: no price is set for this model'
  return cost.savedUsd > 0 ? `nothing; ${moneyOf(cost.savedUsd)} saved` : 'nothing'
}
