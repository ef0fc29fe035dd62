/**
 * MurmurHash3, the 128-bit variant for 32-bit words: what stands for a key in the cleaner's map.
 *
 * A map of digests instead of keys has a known size for each entry. Two different keys share a digest with a chance of
 * about 2^-128 per pair; the seed keeps anyone from choosing keys that do.
 */
const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

/** Hashes `bytes[start, start + length)` into `out[0..4)`. */
export function hashKey(bytes: Uint8Array, start: number, length: number, seed: number, out: Int32Array): void {
  let h1 = seed
  let h2 = seed
  let h3 = seed
  let h4 = seed
  const end = start + length
  const blocksEnd = end - (length % 16)
  for (let at = start; at < blocksEnd; at += 16) {
    h1 ^= Math.imul(rotate(Math.imul(word(bytes, at), C1), 15), C2)
    h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0
    h2 ^= Math.imul(rotate(Math.imul(word(bytes, at + 4), C2), 16), C3)
    h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0
    h3 ^= Math.imul(rotate(Math.imul(word(bytes, at + 8), C3), 17), C4)
    h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0
    h4 ^= Math.imul(rotate(Math.imul(word(bytes, at + 12), C4), 18), C1)
    h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0
  }
  const left = end - blocksEnd
  if (left > 12) h4 ^= Math.imul(rotate(Math.imul(tail(bytes, blocksEnd + 12, end), C4), 18), C1)
  if (left > 8) h3 ^= Math.imul(rotate(Math.imul(tail(bytes, blocksEnd + 8, end), C3), 17), C4)
  if (left > 4) h2 ^= Math.imul(rotate(Math.imul(tail(bytes, blocksEnd + 4, end), C2), 16), C3)
  if (left > 0) h1 ^= Math.imul(rotate(Math.imul(tail(bytes, blocksEnd, end), C1), 15), C2)
  h1 ^= length
  h2 ^= length
  h3 ^= length
  h4 ^= length
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = (h2 + h1) | 0
  h3 = (h3 + h1) | 0
  h4 = (h4 + h1) | 0
  h1 = mix(h1)
  h2 = mix(h2)
  h3 = mix(h3)
  h4 = mix(h4)
  h1 = (h1 + h2 + h3 + h4) | 0
  out[0] = h1
  out[1] = (h2 + h1) | 0
  out[2] = (h3 + h1) | 0
  out[3] = (h4 + h1) | 0
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

/** Up to four bytes; those behind the end count as zero. */
function tail(bytes: Uint8Array, at: number, end: number): number {
  let value = 0
  for (let index = Math.min(end, at + 4) - 1; index >= at; index--) value = (value << 8) | bytes[index]!
  return value
}

function mix(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
