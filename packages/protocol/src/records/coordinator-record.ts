/**
 * How group and transaction coordinators write a record: type or version in two bytes, then the message.
 *
 *   key     type:2 | key message, version 0          value   version:2 | value message          no value: tombstone
 *
 * In `__consumer_offsets` type 0 is an old spelling of 1 (offset commit); key and value of a type share its number.
 */
import { ProtocolError } from "../bytes/fault.ts"
import { Reader } from "../bytes/reader.ts"
import { decode, encodeInto, withWriter } from "../schema/codec.ts"
import type { Message, RecordMessage } from "../schema/message.ts"

export function encodeCoordinatorKey<E>(message: RecordMessage<unknown, E>, value: E): Uint8Array {
  return prefixed(message, message.key, 0, value)
}

export function encodeCoordinatorValue<E>(message: RecordMessage<unknown, E>, version: number, value: E): Uint8Array {
  return prefixed(message, version, version, value)
}

/** Type of a coordinator's record, from its key. */
export function coordinatorRecordType(key: Uint8Array): number {
  return prefixOf("coordinator record key", key)
}

/** The key without its type, which the caller has chosen `message` by. Throws `ProtocolError`. */
export function decodeCoordinatorKey<D>(message: RecordMessage<D, never>, key: Uint8Array): D {
  return decode(message, 0, key, 2)
}

/** The value in the version it was written in. Throws `ProtocolError` when that version is of a newer Kafka. */
export function decodeCoordinatorValue<D>(message: RecordMessage<D, never>, value: Uint8Array): D {
  return decode(message, prefixOf(message.name, value), value, 2)
}

function prefixed<E>(message: Message<unknown, E>, prefix: number, version: number, value: E): Uint8Array {
  return withWriter((writer) => {
    writer.int16(prefix)
    encodeInto(message, version, value, writer)
    return writer.take()
  })
}

function prefixOf(name: string, bytes: Uint8Array): number {
  if (bytes.length < 2)
    throw new ProtocolError(name, -1, "", 0, `${bytes.length} bytes, needs 2 for its type or version`)
  return new Reader(bytes).int16()
}
