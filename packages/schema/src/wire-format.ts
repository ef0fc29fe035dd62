/**
 * How a record says which schema it was written with.
 *
 *   registry, version 0      00 | schema id, int32 big-endian | payload
 *   Avro single object       c3 01 | CRC-64-AVRO of the schema, 8 bytes little-endian | payload
 *
 * Version 0 is what every client of a registry writes. Version 1 (01 and a 16-byte GUID) is recognised to be refused by
 * name. The single-object encoding is Avro's own and needs no registry.
 */
import { SerdeError } from "./errors.ts"

export const SCHEMA_ID_BYTES = 5
const SCHEMA_ID_MAX = 2 ** 31 - 1
const GUID_VERSION = 1

export function schemaIdPrefix(id: number): Uint8Array {
  const prefix = new Uint8Array(SCHEMA_ID_BYTES)
  new DataView(prefix.buffer).setInt32(1, id)
  return prefix
}

/** The schema id that bytes begin with; throws a SerdeError when they do not begin with one. */
export function schemaIdOf(serde: string, bytes: Uint8Array): number {
  if (bytes.length < SCHEMA_ID_BYTES) {
    throw new SerdeError(
      serde,
      `${bytes.length} bytes are too few for a schema id: this was not written with a registry`,
    )
  }
  if (bytes[0] === GUID_VERSION) {
    throw new SerdeError(serde, "the schema is named by GUID (wire format version 1); only version 0, an id, is read")
  }
  const id = new DataView(bytes.buffer, bytes.byteOffset).getInt32(1)
  if (bytes[0] !== 0 || id < 0 || id > SCHEMA_ID_MAX) {
    const first = bytes[0]!.toString(16).padStart(2, "0")
    throw new SerdeError(
      serde,
      `no schema id: the first byte is 0x${first}, not 0x00; this was not written with a registry`,
    )
  }
  return id
}

export const SINGLE_OBJECT_BYTES = 10

export function singleObjectPrefix(fingerprint: Uint8Array): Uint8Array {
  return Uint8Array.of(0xc3, 0x01, ...fingerprint)
}

export function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes.length < prefix.length) return false
  for (let index = 0; index < prefix.length; index++) if (bytes[index] !== prefix[index]) return false
  return true
}
