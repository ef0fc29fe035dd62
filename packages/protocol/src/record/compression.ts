/**
 * The codecs of record batches, by the ids in the lowest three bits of a batch's attributes.
 *
 * Everything is synchronous: a batch is at most some megabytes, and the caller's core has to stay deterministic. Every
 * decompression has a limit on what comes out, so that a small request cannot exhaust memory. Results never alias the
 * input, except for `none`.
 */
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import { CorruptRecordError, DecompressedTooLargeError } from "./corrupt.ts"
import { lz4Compress, lz4Decompress } from "./lz4.ts"
import { snappyCompress, snappyDecompress } from "./snappy.ts"

/** Codec names at the index of their id on the wire. */
export const COMPRESSIONS = ["none", "gzip", "snappy", "lz4", "zstd"] as const

export type Compression = (typeof COMPRESSIONS)[number]

/** Most bytes one batch may decompress to, unless the caller says otherwise. */
export const DECOMPRESSED_BYTES_MAX = 128 * 1024 * 1024

export function compressionId(name: Compression): number {
  return COMPRESSIONS.indexOf(name)
}

/** The codec of an id, or undefined when no codec has it. */
export function compressionOf(id: number): Compression | undefined {
  return COMPRESSIONS[id]
}

export function compress(codec: Compression, bytes: Uint8Array): Uint8Array {
  switch (codec) {
    case "none":
      return bytes
    case "gzip":
      return gzipSync(bytes)
    case "snappy":
      return snappyCompress(bytes)
    case "lz4":
      return lz4Compress(bytes)
    case "zstd":
      return zstdCompressSync(bytes)
  }
}

/** Throws CorruptRecordError when the bytes are not that codec's, DecompressedTooLargeError past `limit` bytes. */
export function decompress(codec: Compression, bytes: Uint8Array, limit: number = DECOMPRESSED_BYTES_MAX): Uint8Array {
  try {
    switch (codec) {
      case "none":
        return bytes
      case "gzip":
        return gunzipSync(bytes, { maxOutputLength: limit })
      case "snappy":
        return snappyDecompress(bytes, limit)
      case "lz4":
        return lz4Decompress(bytes, limit)
      case "zstd":
        return zstdDecompressSync(bytes, { maxOutputLength: limit })
    }
  } catch (cause) {
    if (cause instanceof CorruptRecordError || cause instanceof DecompressedTooLargeError) throw cause
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new DecompressedTooLargeError(codec, limit)
    }
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CorruptRecordError(`a ${codec} batch does not decompress: ${reason}`, { cause })
  }
}
