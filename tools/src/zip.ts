/**
 * Reads entries of a zip archive (a jar): enough of the format for a tool, on bytes in memory.
 *
 *   … entries … | central directory: one header per entry | end record: where the directory is
 *
 * Stored and deflated entries only, no zip64, no encryption: a jar needs no more.
 */
import { inflateRawSync } from "node:zlib"

const END_SIGNATURE = 0x06054b50
const ENTRY_SIGNATURE = 0x02014b50
const END_BYTES = 22
const COMMENT_BYTES_MAX = 0xffff
const STORED = 0
const DEFLATED = 8

export interface ZipEntry {
  readonly name: string
  /** Inflated on demand: most entries of a jar are not wanted. */
  content(): Buffer
}

export function* zipEntries(zip: Buffer): Generator<ZipEntry> {
  const end = endRecord(zip)
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    if (zip.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new Error(`no zip directory entry at byte ${at}`)
    const method = zip.readUInt16LE(at + 10)
    const size = zip.readUInt32LE(at + 20)
    const nameBytes = zip.readUInt16LE(at + 28)
    const offset = zip.readUInt32LE(at + 42)
    const name = zip.toString("utf8", at + 46, at + 46 + nameBytes)
    yield { name, content: () => contentOf(zip, offset, size, method, name) }
    at += 46 + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
}

function endRecord(zip: Buffer): number {
  const first = Math.max(0, zip.length - END_BYTES - COMMENT_BYTES_MAX)
  for (let at = zip.length - END_BYTES; at >= first; at--) if (zip.readUInt32LE(at) === END_SIGNATURE) return at
  throw new Error("not a zip archive: it has no end record")
}

function contentOf(zip: Buffer, offset: number, size: number, method: number, name: string): Buffer {
  const start = offset + 30 + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28)
  const bytes = zip.subarray(start, start + size)
  if (method === STORED) return bytes
  if (method === DEFLATED) return inflateRawSync(bytes)
  throw new Error(`${name} is compressed by method ${method}, only 0 and 8 are known`)
}
