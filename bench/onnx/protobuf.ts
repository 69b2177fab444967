/**
 * Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding/), as far as ONNX needs it.
 * A message is a list of pieces, so that large tensors are not copied for each message around them.
 */
export type Message = readonly Uint8Array[]

export function integerField(field: number, value: number): Message {
  return [Uint8Array.from([...varint(field * 8), ...varint(value)])]
}

export function floatField(field: number, value: number): Message {
  return [Uint8Array.from(varint(field * 8 + 5)), new Uint8Array(Float32Array.of(value).buffer)]
}

export function textField(field: number, text: string): Message {
  return bytesField(field, [new TextEncoder().encode(text)])
}

/** Bytes, or a message within another. */
export function bytesField(field: number, content: Message): Message {
  const length = content.reduce((sum, { byteLength }) => sum + byteLength, 0)
  return [Uint8Array.from([...varint(field * 8 + 2), ...varint(length)]), ...content]
}

/** Seven bits a byte, the lowest first. Up to 2^53: no shifts, which would cut to 32 bits. */
function varint(value: number): number[] {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`No varint here: ${value}`)
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return [...bytes, rest]
}
