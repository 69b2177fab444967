import { AnswerFooter } from './answer-footer'
import { define } from './define'
import { MarkdownText } from './markdown-text'
import { TurnList } from './turn-list'
import { TurnTokens } from './turn-tokens'
import { TurnView } from './turn-view'

/** Registers what shows a conversation. */
export function defineTurnElements(): void {
  define('minnow-markdown', MarkdownText)
  define('minnow-tokens', TurnTokens)
  define('minnow-answer-footer', AnswerFooter)
  define('minnow-turn', TurnView)
  define('minnow-turns', TurnList)
}
