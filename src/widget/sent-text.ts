import { html, nothing, type TemplateResult } from 'lit'
import type { SentRecord } from '../contract/route'
import type { DetailStrings } from './strings/details'

type Redacted = SentRecord['redacted']

/** A text with the placeholders in it marked. */
export function markedText(text: string, redacted: Redacted): (string | TemplateResult)[] {
  const placeholders = new Set(redacted.map(({ placeholder }) => placeholder))
  // Placeholders look like [EMAIL_1]; brackets keep one from being part of another.
  return text
    .split(/(\[[A-Z]{1,12}_\d{1,6}\])/)
    .map((piece) => (placeholders.has(piece) ? html`<mark>${piece}</mark>` : piece))
}

export function redactionNote(redacted: Redacted, words: DetailStrings): TemplateResult | typeof nothing {
  if (redacted.length === 0) return nothing
  const names: Readonly<Record<string, string>> = words.personalData
  const kinds = [...new Set(redacted.map(({ kind }) => names[kind] ?? kind.replaceAll(/[-_]/g, ' ')))]
  return html`<p class="small">
    <strong>${words.replaced(redacted.length)}</strong> (${kinds.join(', ')}). ${words.originalsStay}
  </p>`
}

/** The messages of a request's JSON, for people; null where it holds none. */
export function messagesOf(text: string): { role: string; content: string }[] | null {
  try {
    const { messages } = JSON.parse(text) as { messages?: unknown }
    if (!Array.isArray(messages)) return null
    return messages.map((message: { role?: unknown; content?: unknown } | null) => ({
      role: String(message?.role),
      content: typeof message?.content === 'string' ? message.content : JSON.stringify(message?.content),
    }))
  } catch {
    return null
  }
}
