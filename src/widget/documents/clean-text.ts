/**
 * Characters that show nothing but can carry text past a reader's eyes: zero-width ones, marks of writing direction,
 * tags (U+E0000…) and the like. Joiners stay between letters of scripts that need them.
 */
const UNSEEN =
  /[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu
// oxlint-disable-next-line no-control-regex -- they are what is removed
const CONTROL = /[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u009f]/g
const LONE_SURROGATE = /\p{Surrogate}/gu
const LONE_JOINER = /(?<![\p{L}\p{M}])[\u200c\u200d]|[\u200c\u200d](?![\p{L}\p{M}])/gu

/** Text as it is shown and given to the model: composed letters, '\n' line ends, nothing invisible. */
export function cleanText(text: string): string {
  return text
    .replace(LONE_SURROGATE, '\ufffd')
    .replace(/\r\n?|[\u0085\u2028\u2029\f\v]/g, '\n')
    .replace(CONTROL, '')
    .replace(UNSEEN, '')
    .replace(LONE_JOINER, '')
    .replace(/[ \t\u00a0]+\n/g, '\n')
    .replace(/\n{4,}/g, '\n\n\n')
    .normalize('NFC')
}
