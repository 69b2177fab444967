/** Latin words, single digits, single letters of other scripts, runs of signs, line ends. */
const PIECES = /\p{Script=Latin}[\p{Script=Latin}\p{M}]*|\p{N}|[\p{L}\p{M}]|[^\s\p{L}\p{M}\p{N}]{1,2}|\n+/gu
const LATIN = /^\p{Script=Latin}/u
const ACCENTED = /\P{ASCII}/gu
const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u

/**
 * About how many tokens a text has, without a tokenizer: that is in the worker, with the model. A little more than the
 * embedded model's in English, so that what should fit does; tests/unit/documents holds it against the real one.
 */
export function estimateTokens(text: string): number {
  let tokens = 0
  for (const [piece] of text.matchAll(PIECES)) {
    if (LATIN.test(piece))
      tokens += 1 + Math.max(0, piece.length - 5) / 4.5 + (piece.match(ACCENTED)?.length ?? 0)
    else if (WIDE.test(piece)) tokens += 1.9
    else if (/\p{L}|\p{M}/u.test(piece)) tokens += 1.1
    else tokens += 1
  }
  return Math.ceil(tokens)
}
