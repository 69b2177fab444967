import type { Engine, EngineInfo, Usage } from '../contract/engine'
import { strings } from '../widget/strings'
import type { Turn } from '../widget/turn'
import { describeFigures, describeSaving, savingOf } from './figures'
import { find } from './find'
import { recall, remember } from './remember'

const button = find('show-figures', HTMLButtonElement)
const panel = find('about', HTMLElement)
const list = find('figures', HTMLElement)
const saving = find('saving', HTMLElement)
const reason = find('backend-reason', HTMLElement)
const estimate = find('estimate', HTMLElement)
const tint = find('tint', HTMLInputElement)

const OPEN_KEY = 'minnow-figures'
const TINT_KEY = 'minnow-tint'

/** Words an English token makes, about. */
const WORDS_PER_TOKEN = 0.75

/** Figures on request, and what is chosen beside them. */
export function startFigures(onTint: (tinted: boolean) => void): void {
  const show = (isOpen: boolean): void => {
    panel.hidden = !isOpen
    button.ariaExpanded = String(isOpen)
  }
  show(recall(OPEN_KEY) === 'open')
  button.addEventListener('click', () => {
    show(panel.hidden !== false)
    remember(OPEN_KEY, panel.hidden ? 'closed' : 'open')
  })
  tint.checked = recall(TINT_KEY) === 'on'
  onTint(tint.checked)
  tint.addEventListener('change', () => {
    remember(TINT_KEY, tint.checked ? 'on' : 'off')
    onTint(tint.checked)
  })
}

export function wantsTokens(): boolean {
  return tint.checked
}

export function showFigures(usage: Usage | null, info: EngineInfo): void {
  reason.textContent = info.backendReason ?? ''
  if (usage !== null && usage.minnow.decodeTokensPerSecond > 0) showSpeed(usage.minnow.decodeTokensPerSecond)
  list.replaceChildren(
    ...describeFigures(usage, info).map(({ label, value }) => {
      const group = document.createElement('div')
      const term = document.createElement('dt')
      const definition = document.createElement('dd')
      term.textContent = label
      definition.textContent = value
      group.append(term, definition)
      return group
    }),
  )
}

export function hideReason(): void {
  reason.textContent = ''
}

export function showSaving(turns: readonly Turn[]): void {
  saving.replaceChildren(
    ...describeSaving(savingOf(turns)).map((text) => {
      const line = document.createElement('p')
      line.textContent = text
      return line
    }),
  )
}

function showSpeed(tokensPerSecond: number): void {
  const format = new Intl.NumberFormat(strings().language, { maximumSignificantDigits: 2 })
  const words = format.format(tokensPerSecond * WORDS_PER_TOKEN)
  estimate.textContent = strings().figures.estimate(format.format(tokensPerSecond), words)
}

/** Lets the engine write a few words that nobody sees, and tells how fast it did. */
export async function measureSpeed(engine: Engine, system: string, signal: AbortSignal): Promise<void> {
  const { usage } = await engine.chat.completions.create(
    {
      // Begins as the first question will, so that this much is read already.
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: 'Count to ten.' },
      ],
      max_tokens: 12,
      temperature: 0,
      minnow: { promptLookup: false },
    },
    { signal },
  )
  if (!signal.aborted && usage.minnow.decodeTokensPerSecond > 0) showSpeed(usage.minnow.decodeTokensPerSecond)
}
