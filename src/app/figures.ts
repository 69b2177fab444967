import type { EngineInfo, Usage } from '../contract/engine'
import { countOf, moneyOf } from '../widget/figure-words'
import { strings } from '../widget/strings'
import type { Turn } from '../widget/turn'

export interface Figure {
  readonly label: string
  readonly value: string
}

/** What an answer took and what ran it. */
export function describeFigures(usage: Usage | null, info: EngineInfo): Figure[] {
  const words = strings().figures
  const figures: Figure[] = []
  if (usage !== null) {
    const { decodeTokensPerSecond, timeToFirstTokenMs } = usage.minnow
    const cached = usage.prompt_tokens_details.cached_tokens
    figures.push(
      { label: words.speed, value: words.tokensPerSecond(decodeTokensPerSecond.toFixed(0)) },
      { label: words.firstToken, value: `${(timeToFirstTokenMs / 1000).toFixed(2)} s` },
      { label: words.prompt, value: words.kept(usage.prompt_tokens, cached) },
    )
  }
  figures.push(
    { label: words.threads, value: String(info.threads) },
    { label: words.backend, value: `${info.backend}, ${info.variant}` },
    { label: words.memory, value: `${(info.memoryBytes / 1e6).toFixed(0)} MB` },
  )
  return figures
}

/** Watt-hours a large model in a data centre takes for an answer of 500 tokens: Epoch AI, February 2025. */
const REMOTE_WH_PER_500_TOKENS = 0.3
/** Watts that a device takes above idle while it answers: a laptop's processor under load. */
const DEVICE_WATTS = 15

export interface Saving {
  /** US dollars; null where no price is known. */
  readonly usd: number | null
  /** Watt-hours: what a large model would have taken, and what this device took. */
  readonly remoteWh: number
  readonly deviceWh: number
  readonly tokens: number
}

/**
 * What the answers of this device in a conversation saved. Money: what the bigger model would have charged, by its price
 * in the settings. Energy, an estimate: tokens × 0.3 Wh / 500 there, seconds × 15 W / 3600 here.
 */
export function savingOf(turns: readonly Turn[]): Saving {
  let usd: number | null = null
  let tokens = 0
  let seconds = 0
  for (const { route, usage } of turns) {
    const kind = route?.source.kind
    if (route === null || usage === null || kind === 'remote' || kind === 'cache') continue
    if (route.cost.priced) usd = (usd ?? 0) + route.cost.savedUsd
    tokens += usage.completion_tokens
    seconds += (usage.minnow.prefillMs + usage.minnow.decodeMs) / 1000
  }
  return {
    usd,
    tokens,
    remoteWh: (tokens / 500) * REMOTE_WH_PER_500_TOKENS,
    deviceWh: (seconds * DEVICE_WATTS) / 3600,
  }
}

export function describeSaving({ usd, tokens, remoteWh, deviceWh }: Saving): string[] {
  const words = strings().figures
  if (tokens === 0) return []
  return [
    usd === null ? words.noPrice : words.money(moneyOf(usd)),
    words.energy(countOf(tokens), wattHours(remoteWh), wattHours(deviceWh)),
  ]
}

function wattHours(value: number): string {
  const format = new Intl.NumberFormat(strings().language, { maximumSignificantDigits: 2 })
  return `${format.format(value)} Wh`
}
