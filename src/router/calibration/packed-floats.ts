/** f32 as base64 of little-endian bytes, for files. */
export function packFloats(values: Float32Array): string {
  const view = new DataView(new ArrayBuffer(values.length * 4))
  values.forEach((value, index) => view.setFloat32(index * 4, value, true))
  let text = ''
  for (let i = 0; i < view.byteLength; i++) text += String.fromCharCode(view.getUint8(i))
  return btoa(text)
}

/** Bytes behind the last whole number are left out. */
export function unpackFloats(base64: string): Float32Array {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  const view = new DataView(bytes.buffer)
  return Float32Array.from({ length: bytes.length >>> 2 }, (_, index) => view.getFloat32(index * 4, true))
}
