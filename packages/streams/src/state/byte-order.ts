/**
 * Bytes as strings of the same order: one char code per byte, so that a JavaScript Map can hold them as keys and `<`
 * compares them as memcmp does.
 */
export const byteString = (bytes: Uint8Array): string => {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString("latin1")
}

/** The least string above all that begin with a prefix; undefined when there is none. */
export function above(prefix: string): string | undefined {
  for (let at = prefix.length - 1; at >= 0; at--) {
    const byte = prefix.charCodeAt(at)
    if (byte < 0xff) return prefix.slice(0, at) + String.fromCharCode(byte + 1)
  }
  return undefined
}

export const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1")
