/**
 * How the controller writes a record's value into `__cluster_metadata`: a frame version, which record it is, in which
 * version, then the message. All three numbers are unsigned varints; metadata records have no key.
 *
 *   frame version (1) | record type | version | message
 */
import { ProtocolError, WireFault } from "../bytes/fault.ts"
import { Reader } from "../bytes/reader.ts"
import { decode, encodeInto, withWriter } from "../schema/codec.ts"
import type { RecordMessage } from "../schema/message.ts"

const FRAME_VERSION = 1

export function encodeMetadataRecord<E>(message: RecordMessage<unknown, E>, version: number, value: E): Uint8Array {
  return withWriter((writer) => {
    writer.uvarint(FRAME_VERSION)
    writer.uvarint(message.key)
    writer.uvarint(version)
    encodeInto(message, version, value, writer)
    return writer.take()
  })
}

export interface MetadataRecordHeader {
  /** The record's type: `TopicRecord.key` and so on. */
  type: number
  version: number
  /** Where the message begins. */
  bodyOffset: number
}

/** Which record the bytes hold. Throws `ProtocolError`. */
export function metadataRecordHeader(bytes: Uint8Array): MetadataRecordHeader {
  const reader = new Reader(bytes)
  try {
    const frameVersion = reader.uvarint()
    if (frameVersion !== FRAME_VERSION) reader.fail(`frame version ${frameVersion}, only ${FRAME_VERSION} is known`, 0)
    const type = reader.uvarint()
    const version = reader.uvarint()
    return { type, version, bodyOffset: reader.pos }
  } catch (error) {
    if (error instanceof WireFault) throw new ProtocolError("metadata record", -1, "", error.offset, error.reason)
    throw error
  }
}

/** The message behind a header that named it. Throws `ProtocolError`. */
export function decodeMetadataRecord<D>(
  message: RecordMessage<D, never>,
  header: MetadataRecordHeader,
  bytes: Uint8Array,
): D {
  if (header.type !== message.key) {
    throw new ProtocolError(message.name, header.version, "", 0, `the record is of type ${header.type}`)
  }
  return decode(message, header.version, bytes, header.bodyOffset)
}
