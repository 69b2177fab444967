/** SHA-256 in lower-case hex. By WebCrypto; on plain-http pages, which have none, by the code below. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  // The types promise `subtle` everywhere; insecure contexts lack it.
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined
  return toHex(
    subtle === undefined ? sha256Plain(bytes) : new Uint8Array(await subtle.digest('SHA-256', bytes)),
  )
}

function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

/** FIPS 180-4, section 6.2. */
export function sha256Plain(bytes: Uint8Array): Uint8Array {
  const hash = new Sha256()
  hash.update(bytes)
  return hash.digest()
}

/** SHA-256 of bytes that come one after the other, which WebCrypto does not give. */
export class Sha256 {
  readonly #constants = constants()
  readonly #hash = Uint32Array.from(this.#constants.initialHash)
  readonly #schedule = new Int32Array(64)
  /** Of a block that is not whole yet. */
  readonly #rest = new Uint8Array(64)
  #sizeBytes = 0

  update(bytes: Uint8Array): void {
    let at = 0
    const held = this.#sizeBytes % 64
    this.#sizeBytes += bytes.length
    if (held > 0) {
      at = Math.min(64 - held, bytes.length)
      this.#rest.set(bytes.subarray(0, at), held)
      if (held + at < 64) return
      this.#compress(this.#rest)
    }
    const end = at + Math.floor((bytes.length - at) / 64) * 64
    this.#compress(bytes.subarray(at, end))
    this.#rest.set(bytes.subarray(end))
  }

  /** Ends it; may be called once. */
  digest(): Uint8Array {
    // The rest, a 1 bit, zeros, and the length in bits as a 64-bit number.
    const held = this.#sizeBytes % 64
    const tail = new Uint8Array(held < 56 ? 64 : 128)
    tail.set(this.#rest.subarray(0, held))
    tail[held] = 0x80
    const tailView = new DataView(tail.buffer)
    tailView.setUint32(tail.length - 8, Math.floor(this.#sizeBytes / 2 ** 29))
    tailView.setUint32(tail.length - 4, (this.#sizeBytes << 3) >>> 0)
    this.#compress(tail)

    const digest = new Uint8Array(32)
    const digestView = new DataView(digest.buffer)
    for (let word = 0; word < 8; word++) digestView.setUint32(word * 4, this.#hash[word]!)
    return digest
  }

  /** In lower-case hex; ends it. */
  hex(): string {
    return toHex(this.digest())
  }

  #compress(blocks: Uint8Array): void {
    const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength)
    for (let at = 0; at < blocks.length; at += 64) {
      compress(this.#hash, view, at, this.#schedule, this.#constants.roundConstants)
    }
  }
}

function compress(hash: Uint32Array, view: DataView, at: number, w: Int32Array, k: Int32Array): void {
  for (let t = 0; t < 16; t++) w[t] = view.getInt32(at + t * 4)
  for (let t = 16; t < 64; t++) {
    const early = w[t - 15]!
    const late = w[t - 2]!
    const sigma0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3)
    const sigma1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10)
    w[t] = (w[t - 16]! + sigma0 + w[t - 7]! + sigma1) | 0
  }
  let a = hash[0]!
  let b = hash[1]!
  let c = hash[2]!
  let d = hash[3]!
  let e = hash[4]!
  let f = hash[5]!
  let g = hash[6]!
  let h = hash[7]!
  for (let t = 0; t < 64; t++) {
    const sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const t1 = (h + sum1 + ((e & f) ^ (~e & g)) + k[t]! + w[t]!) | 0
    const sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const t2 = (sum0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  const words = [a, b, c, d, e, f, g, h]
  for (let word = 0; word < 8; word++) hash[word] = hash[word]! + words[word]!
}

function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by))
}

/** The first 32 bits of the fractions of the cube roots (square roots) of the first 64 (8) primes. */
function constants(): { roundConstants: Int32Array; initialHash: Uint32Array } {
  const primes: number[] = []
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  return {
    roundConstants: Int32Array.from(primes, (prime) => (Math.cbrt(prime) % 1) * 2 ** 32),
    initialHash: Uint32Array.from(primes.slice(0, 8), (prime) => (Math.sqrt(prime) % 1) * 2 ** 32),
  }
}
