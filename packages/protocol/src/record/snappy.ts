/**
 * Snappy as Kafka's clients write it.
 *
 * Java clients wrap raw snappy blocks in the framing of the xerial library; librdkafka and Go clients send one raw
 * block. We write the former, since every client reads it, and read both.
 *
 *   xerial: 82 53 4e 41 50 50 59 00 | version int32 = 1 | compatible int32 = 1 | (length int32, raw block)*
 */
import { CorruptRecordError, DecompressedTooLargeError } from "./corrupt.ts"
import { putInt32, uint32At } from "./integers.ts"
import { lazily } from "./native.ts"

/** The native library, loaded with the first batch that needs it. */
const native = lazily<typeof import("snappy")>("snappy")

const MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00)
const HEADER_BYTES = 16
/** What one block holds before compression; the Java library's default. */
const BLOCK_BYTES = 32 * 1024

export function snappyCompress(bytes: Uint8Array): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES)
  header.set(MAGIC)
  putInt32(header, 8, 1)
  putInt32(header, 12, 1)
  const chunks: Uint8Array[] = [header]
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = native().compressSync(bytes.subarray(at, at + BLOCK_BYTES))
    const length = new Uint8Array(4)
    putInt32(length, 0, block.length)
    chunks.push(length, block)
  }
  return Buffer.concat(chunks)
}

export function snappyDecompress(bytes: Uint8Array, limit: number): Uint8Array {
  if (!isXerial(bytes)) return block(bytes, limit, limit)
  const chunks: Uint8Array[] = []
  let total = 0
  let at = HEADER_BYTES
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw new CorruptRecordError("a snappy batch ends inside a block length")
    const length = uint32At(bytes, at)
    at += 4
    if (length > bytes.length - at) throw new CorruptRecordError("a snappy batch ends inside a block")
    const chunk = block(bytes.subarray(at, at + length), limit - total, limit)
    total += chunk.length
    chunks.push(chunk)
    at += length
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, total)
}

function block(bytes: Uint8Array, remaining: number, limit: number): Uint8Array {
  if (announcedLength(bytes) > remaining) throw new DecompressedTooLargeError("snappy", limit)
  return native().uncompressSync(bytes) as Buffer
}

/** A raw block starts with its decompressed length as an unsigned varint; the decoder refuses to write more than that. */
function announcedLength(bytes: Uint8Array): number {
  let length = 0
  for (let at = 0; at < 5; at++) {
    if (at >= bytes.length) throw new CorruptRecordError("a snappy block ends inside its length")
    const byte = bytes[at]!
    length += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) return length
  }
  throw new CorruptRecordError("a snappy block announces a length of more than 32 bits")
}

function isXerial(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_BYTES) return false
  for (let at = 0; at < MAGIC.length; at++) if (bytes[at] !== MAGIC[at]) return false
  return true
}
