/**
 * The serdes that need no schema, with the bytes of Kafka's own: StringSerializer, ByteArraySerializer,
 * IntegerSerializer, LongSerializer, DoubleSerializer, VoidSerializer. Numbers are big-endian.
 *
 * A 64-bit integer is a `number`: beyond 2^53 it would silently be another one, so both directions refuse it.
 */
import { SerdeError } from "./errors.ts"
import { describe } from "./explain.ts"
import type { Serde } from "./serde.ts"

/** Text as UTF-8. Invalid bytes decode to U+FFFD, as they do in Kafka. */
export const string: Serde<string> = {
  name: "string",
  encode(value) {
    if (typeof value !== "string") throw new SerdeError("string", `expected a string, got ${describe(value)}`)
    return Buffer.from(value, "utf8")
  },
  decode: (bytes) => asBuffer(bytes).toString(),
}

/** The bytes themselves; `decode` answers a view of the buffer that the record came in. */
export const bytes: Serde<Uint8Array> = {
  name: "bytes",
  encode(value) {
    if (!(value instanceof Uint8Array)) throw new SerdeError("bytes", `expected a Uint8Array, got ${describe(value)}`)
    return value
  },
  decode: (bytes) => bytes,
}

/** A 32-bit signed integer in 4 bytes. */
export const int32: Serde<number> = {
  name: "int32",
  encode(value) {
    if (typeof value !== "number" || (value | 0) !== value) {
      throw new SerdeError("int32", `expected an integer of 32 bits, got ${describe(value)}`)
    }
    const encoded = new Uint8Array(4)
    putInt32(encoded, 0, value)
    return encoded
  },
  decode(bytes) {
    expectLength("int32", bytes, 4)
    return int32At(bytes, 0)
  },
}

/** A 64-bit signed integer in 8 bytes, within ±(2^53 - 1). */
export const int64: Serde<number> = {
  name: "int64",
  encode(value) {
    if (!Number.isSafeInteger(value)) {
      throw new SerdeError("int64", `expected an integer within ±(2^53 - 1), got ${describe(value)}`)
    }
    const encoded = new Uint8Array(8)
    putInt32(encoded, 0, Math.floor(value / 2 ** 32))
    putInt32(encoded, 4, value)
    return encoded
  },
  decode(bytes) {
    expectLength("int64", bytes, 8)
    const value = int32At(bytes, 0) * 2 ** 32 + (int32At(bytes, 4) >>> 0)
    if (!Number.isSafeInteger(value)) {
      throw new SerdeError(
        "int64",
        `${viewOf(bytes).getBigInt64(0)} is beyond ±(2^53 - 1), which a number cannot hold exactly`,
      )
    }
    return value
  },
}

/** A 64-bit float in 8 bytes. */
export const double: Serde<number> = {
  name: "double",
  encode(value) {
    if (typeof value !== "number") throw new SerdeError("double", `expected a number, got ${describe(value)}`)
    const encoded = new Uint8Array(8)
    viewOf(encoded).setFloat64(0, value)
    return encoded
  },
  decode(bytes) {
    expectLength("double", bytes, 8)
    return viewOf(bytes).getFloat64(0)
  },
}

/** For keys (or values) that are always null: unkeyed topics. Bytes that are there all the same decode to null. */
export const none: Serde<null> = {
  name: "none",
  encode(value) {
    throw new SerdeError("none", `takes nothing but null, got ${describe(value)}`)
  },
  decode: () => null,
}

/** The same memory as a Buffer, which decodes text natively. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

// A view per number costs more than its bytes one by one.
function putInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24
  bytes[at + 1] = value >> 16
  bytes[at + 2] = value >> 8
  bytes[at + 3] = value
}

const int32At = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function expectLength(serde: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new SerdeError(serde, `takes exactly ${length} bytes, got ${bytes.length}`)
}
