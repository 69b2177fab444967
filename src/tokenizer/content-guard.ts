import type { PromptMessage } from '../contract/chat-messages'
import { EngineError } from '../contract/error'

export interface GuardedMessages {
  readonly messages: readonly PromptMessage[]
  /** One character that breaks up control tokens in the contents and stands nowhere else. Split there after rendering. */
  readonly marker: string
}

/** The basic plane's private use area: characters that mean nothing to anyone. */
const firstMarker = 0xe000
const lastMarker = 0xf8ff

/**
 * Puts a marker into every place of the contents where a control token could begin, after its first character. The
 * template then still sees, trims and splits the real contents, unlike with stand-ins for them; and once the rendered
 * text is split at the markers, a control token lies within one piece only if the template wrote it.
 * Contents without such places, nearly all, pass unchanged.
 */
export function protectContents(
  messages: readonly PromptMessage[],
  controlTexts: readonly string[],
  templateSource: string,
): GuardedMessages {
  const marker = unusedCharacter([templateSource, ...controlTexts, ...messages.map(({ content }) => content)])
  const breaks = breakPattern(controlTexts)
  return {
    marker,
    messages: messages.map(({ role, content }) => ({
      role,
      content: content.replace(breaks, (first) => first + marker),
    })),
  }
}

/** Matches the first character of a control token where its second one, or only whitespace to the end, follows. */
function breakPattern(controlTexts: readonly string[]): RegExp {
  const seconds = new Map<string, Set<string>>()
  for (const text of controlTexts) {
    const [first, second] = text
    if (first === undefined) continue
    const known = seconds.get(first) ?? new Set()
    seconds.set(first, known.add(second ?? ''))
  }
  const alternatives = [...seconds].map(
    ([first, follow]) => `${escapePattern(first)}(?=\\s*$|${[...follow].map(escapePattern).join('|')})`,
  )
  return new RegExp(alternatives.length === 0 ? '(?!)' : alternatives.join('|'), 'gu')
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function unusedCharacter(texts: readonly string[]): string {
  for (let code = firstMarker; code <= lastMarker; code++) {
    const character = String.fromCharCode(code)
    if (!texts.some((text) => text.includes(character))) return character
  }
  throw new EngineError(
    'invalid-argument',
    'The messages use every character of the private use area (U+E000 to U+F8FF). Leave one of them out.',
  )
}
