/** Turns ids into text as they come. */
export interface Detokenizer {
  /** Text that is now complete; '' while a character is not. Never half a character. */
  push(id: number): string
  /** What is left: U+FFFD for an incomplete character, else ''. The detokenizer can be used again after it. */
  flush(): string
}

export interface DetokenizerOptions {
  /** Show control tokens as their text. Default false: they give nothing. */
  special?: boolean
  /**
   * Leave out the space that SentencePiece vocabularies put before the first word. Default true; false for text that
   * goes on after other text.
   */
  stripSpacePrefix?: boolean
}

/** `pieceOf` gives the bytes an id shows as. `stripsSpace`: leave out one space at the start. */
export function createDetokenizer(pieceOf: (id: number) => Uint8Array, stripsSpace: boolean): Detokenizer {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let atStart = true
  return {
    push(id) {
      let piece = pieceOf(id)
      if (piece.length === 0) return ''
      if (atStart && stripsSpace && piece[0] === 0x20) piece = piece.subarray(1)
      atStart = false
      return decoder.decode(piece, { stream: true })
    },
    flush() {
      atStart = true
      return decoder.decode()
    },
  }
}
