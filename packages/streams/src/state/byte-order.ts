/**
 * Bytes as strings of the same order: one char code per byte, so that a JavaScript Map can hold them as keys and `<`
 * compares them as memcmp does.
 */
export const byteString = (bytes: Uint8Array): string => {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString("latin1")
}

export const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1")
