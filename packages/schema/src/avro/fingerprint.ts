/**
 * CRC-64-AVRO, the 64-bit Rabin fingerprint of a schema's parsing canonical form.
 *
 * Computed once a schema, so it may use bigint. Spec: Apache Avro 1.12, "Schema Fingerprints".
 */
import { parsingCanonicalForm } from "./print.ts"
import type { AvroType } from "./schema.ts"

const EMPTY = 0xc15d213aa4d7a795n

const table = Array.from({ length: 256 }, (_, byte) => {
  let fingerprint = BigInt(byte)
  for (let bit = 0; bit < 8; bit++) fingerprint = (fingerprint >> 1n) ^ (fingerprint & 1n ? EMPTY : 0n)
  return fingerprint
})

export function crc64Avro(bytes: Uint8Array): bigint {
  let fingerprint = EMPTY
  for (const byte of bytes) fingerprint = (fingerprint >> 8n) ^ table[Number((fingerprint ^ BigInt(byte)) & 0xffn)]!
  return fingerprint
}

/** The fingerprint as 8 bytes, little-endian: the form that single-object encoding carries. */
export function fingerprintOf(type: AvroType): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, crc64Avro(Buffer.from(parsingCanonicalForm(type), "utf8")), true)
  return bytes
}
