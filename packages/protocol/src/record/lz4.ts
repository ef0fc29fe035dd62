/**
 * LZ4 frames, with a limit on what decompresses.
 *
 * The native decoder has no limit of its own, so the frame is measured first. Each block says its compressed size only;
 * a block of n bytes yields at most 255 n bytes and at most the frame's block size. Where that bound passes the limit,
 * the block's sequences are walked, which gives the exact size without producing a byte.
 *
 *   magic 04 22 4d 18 | FLG BD [content size 8] [dictionary 4] HC | (size uint32 le, block [checksum 4])* | 0 [checksum 4]
 */
import { CorruptRecordError, DecompressedTooLargeError } from "./corrupt.ts"
import { lazily } from "./native.ts"

/** The native library, loaded with the first batch that needs it: most brokers are ready before that. */
const native = lazily<typeof import("lz4-napi")>("lz4-napi")

const MAGIC = 0x184d2204
const FLAG_CONTENT_CHECKSUM = 0x04
const FLAG_CONTENT_SIZE = 0x08
const FLAG_BLOCK_CHECKSUM = 0x10
const FLAG_DICTIONARY = 0x01
const UNCOMPRESSED_BLOCK = 0x8000_0000
const EXPANSION_MAX = 255

export function lz4Compress(bytes: Uint8Array): Uint8Array {
  return native().compressFrameSync(asBuffer(bytes))
}

export function lz4Decompress(bytes: Uint8Array, limit: number): Uint8Array {
  if (measure(bytes, limit, false) > limit && measure(bytes, limit, true) > limit) {
    throw new DecompressedTooLargeError("lz4", limit)
  }
  return native().decompressFrameSync(asBuffer(bytes))
}

/** Decompressed size of all blocks: exact, or an upper bound that is cheap. Stops once it is past the limit. */
function measure(bytes: Uint8Array, limit: number, exact: boolean): number {
  let total = 0
  let at = 0
  while (at < bytes.length && total <= limit) {
    if (bytes.length - at < 7 || uint32le(bytes, at) !== MAGIC) {
      throw new CorruptRecordError("an lz4 batch does not start with an LZ4 frame")
    }
    const flags = bytes[at + 4]!
    const blockMax = 1 << (8 + 2 * ((bytes[at + 5]! >> 4) & 7))
    const blockTrailer = (flags & FLAG_BLOCK_CHECKSUM) !== 0 ? 4 : 0
    at += 7 + ((flags & FLAG_CONTENT_SIZE) !== 0 ? 8 : 0) + ((flags & FLAG_DICTIONARY) !== 0 ? 4 : 0)
    for (;;) {
      if (at + 4 > bytes.length) throw new CorruptRecordError("an lz4 batch ends inside its frame")
      const word = uint32le(bytes, at)
      at += 4
      if (word === 0) break
      const stored = word >= UNCOMPRESSED_BLOCK
      const size = stored ? word - UNCOMPRESSED_BLOCK : word
      if (size > bytes.length - at) throw new CorruptRecordError("an lz4 batch ends inside a block")
      if (stored) total += size
      else total += exact ? blockLength(bytes, at, at + size) : Math.min(blockMax, size * EXPANSION_MAX)
      if (total > limit) return total
      at += size + blockTrailer
    }
    if ((flags & FLAG_CONTENT_CHECKSUM) !== 0) at += 4
  }
  return total
}

/** Sums literal and match lengths of a block's sequences. */
function blockLength(bytes: Uint8Array, at: number, end: number): number {
  let length = 0
  while (at < end) {
    const token = bytes[at++]!
    let literals = token >> 4
    if (literals === 15) {
      let more = 255
      while (more === 255 && at < end) literals += more = bytes[at++]!
    }
    length += literals
    at += literals
    if (at >= end) break
    at += 2
    let match = token & 15
    if (match === 15) {
      let more = 255
      while (more === 255 && at < end) match += more = bytes[at++]!
    }
    length += match + 4
  }
  return length
}

function uint32le(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
