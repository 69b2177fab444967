/**
 * Reads a stream that should have `sizeBytes`: what came where it is shorter; null, and the rest cancelled, where it
 * is longer. The bytes lie on `into`, from its start, or, where the stream is one of bytes, on what that was
 * transferred to: those are read straight into it.
 */
export async function readStream(
  stream: ReadableStream<Uint8Array>,
  into: ArrayBuffer,
  sizeBytes: number,
  onBytes: (count: number) => void = () => undefined,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const reader = byteReader(stream)
  return reader === null
    ? readPieces(stream.getReader(), into, sizeBytes, onBytes)
    : readBytes(reader, into, sizeBytes, onBytes)
}

/** A reader that fills buffers it is given; null where the stream is not one of bytes. */
function byteReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  try {
    return body.getReader({ mode: 'byob' })
  } catch {
    return null
  }
}

async function readBytes(
  reader: ReadableStreamBYOBReader,
  into: ArrayBuffer,
  sizeBytes: number,
  onBytes: (count: number) => void,
): Promise<Uint8Array<ArrayBuffer> | null> {
  // Each read takes the buffer away and gives a new one on the same memory.
  let buffer = into
  let at = 0
  while (at < sizeBytes) {
    const { done, value } = await reader.read(new Uint8Array(buffer, at, sizeBytes - at))
    if (value === undefined) throw new Error('the stream was cancelled')
    buffer = value.buffer
    if (done) return new Uint8Array(buffer, 0, at)
    at += value.length
    onBytes(value.length)
  }
  const { done } = await reader.read(new Uint8Array(1))
  if (done) return new Uint8Array(buffer, 0, at)
  await reader.cancel()
  return null
}

async function readPieces(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  into: ArrayBuffer,
  sizeBytes: number,
  onBytes: (count: number) => void,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const bytes = new Uint8Array(into, 0, sizeBytes)
  let at = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return bytes.subarray(0, at)
    if (at + value.length > sizeBytes) break
    bytes.set(value, at)
    at += value.length
    onBytes(value.length)
  }
  await reader.cancel()
  return null
}
