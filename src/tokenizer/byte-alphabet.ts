/**
 * The printable stand-ins of bytes in the vocabularies of byte-level BPE (GPT-2's `bytes_to_unicode`): printable
 * Latin-1 stands for itself, the 68 other bytes for U+0100 and on, in order.
 */
export class ByteAlphabet {
  /** Byte → UTF-16 unit. */
  readonly unitOfByte = new Uint16Array(256)
  /** UTF-16 unit (below 0x144) → byte; −1 where it stands for none. */
  readonly #byteOfUnit = new Int16Array(0x144).fill(-1)

  constructor() {
    let next = 0x100
    for (let byte = 0; byte < 256; byte++) {
      const unit = isPrintable(byte) ? byte : next++
      this.unitOfByte[byte] = unit
      this.#byteOfUnit[unit] = byte
    }
  }

  /** Byte of a UTF-16 unit; −1 where it stands for none. */
  byteOf(unit: number): number {
    return this.#byteOfUnit[unit] ?? -1
  }

  /** The bytes a vocabulary entry stands for. One with characters outside of the alphabet gives its own UTF-8. */
  bytesOf(text: string): Uint8Array {
    const bytes = new Uint8Array(text.length)
    for (let index = 0; index < text.length; index++) {
      const byte = this.byteOf(text.charCodeAt(index))
      if (byte < 0) return new TextEncoder().encode(text)
      bytes[index] = byte
    }
    return bytes
  }
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
}
