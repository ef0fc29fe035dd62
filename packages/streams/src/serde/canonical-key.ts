/**
 * The codec for keys whose serde is not known: strings, numbers, booleans, null, bytes, and tuples of these.
 *
 * Equal keys are equal bytes, and bytes compare as the keys do: by kind first (null, false, true, numbers, strings,
 * bytes, tuples), numbers by value, strings by code point, tuples element by element.
 *
 *     0x02 null   0x03 false   0x04 true
 *     0x10 number   8 bytes: IEEE 754, sign bit flipped, all bits flipped when negative
 *     0x20 string   UTF-8 with 0x00 written as 0x00 0xff, then 0x00
 *     0x30 bytes    the same escaping, then 0x00
 *     0x40 tuple    its elements, then 0x01, which is below every kind
 *
 * A string or bytes alone needs no end mark, since nothing follows: it is left out, and the order holds.
 */
import { SerdeError, type Serde } from "@millrace/schema"

export type CanonicalKey = string | number | boolean | null | Uint8Array | readonly CanonicalKey[]

const NULL = 0x02
const FALSE = 0x03
const TRUE = 0x04
const NUMBER = 0x10
const STRING = 0x20
const BYTES = 0x30
const TUPLE = 0x40
const TUPLE_END = 0x01
const ESCAPED_ZERO = 0xff

const NAME = "canonical key"
const TUPLE_DEPTH_MAX = 32

const number = new DataView(new ArrayBuffer(8))

export const canonicalKey: Serde<any> = {
  name: "canonical-key",
  encode(key: CanonicalKey): Uint8Array {
    if (typeof key === "string") {
      if (!key.isWellFormed()) throw new SerdeError(NAME, "a string with half a surrogate pair cannot be a key")
      if (!key.includes("\0")) return prefixed(STRING, key)
    } else if (typeof key === "number") {
      const encoded = Buffer.allocUnsafe(9)
      encoded[0] = NUMBER
      writeNumber(encoded, 1, key)
      return encoded
    }
    const out: number[] = []
    write(out, key, 0)
    // Alone it needs no end mark.
    if (out[0] === STRING || out[0] === BYTES) out.pop()
    return Uint8Array.from(out)
  },
  decode(bytes: Uint8Array): CanonicalKey {
    if (bytes[0] === STRING && !bytes.includes(0)) {
      return Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.length - 1).toString("utf8")
    }
    const reader = { bytes, at: 0 }
    const key = read(reader, true)
    if (reader.at !== bytes.length) throw new SerdeError(NAME, `${bytes.length - reader.at} bytes follow the key`)
    return key
  },
}

function prefixed(kind: number, text: string): Uint8Array {
  const encoded = Buffer.allocUnsafe(1 + Buffer.byteLength(text))
  encoded[0] = kind
  encoded.write(text, 1)
  return encoded
}

function write(out: number[], key: CanonicalKey, depth: number): void {
  if (key === null) out.push(NULL)
  else if (typeof key === "boolean") out.push(key ? TRUE : FALSE)
  else if (typeof key === "number") {
    const encoded = new Uint8Array(8)
    writeNumber(encoded, 0, key)
    out.push(NUMBER, ...encoded)
  } else if (typeof key === "string") {
    if (!key.isWellFormed()) throw new SerdeError(NAME, "a string with half a surrogate pair cannot be a key")
    writeEscaped(out, STRING, Buffer.from(key, "utf8"))
  } else if (key instanceof Uint8Array) writeEscaped(out, BYTES, key)
  else if (Array.isArray(key)) {
    if (depth === TUPLE_DEPTH_MAX) throw new SerdeError(NAME, `tuples nest deeper than ${TUPLE_DEPTH_MAX}`)
    out.push(TUPLE)
    for (const element of key) write(out, element, depth + 1)
    out.push(TUPLE_END)
  } else {
    throw new SerdeError(
      NAME,
      `a key of type ${typeof key} has no canonical bytes: use a string, number, boolean, bytes or a tuple of them, ` +
        "or name the key's serde",
    )
  }
}

function writeEscaped(out: number[], kind: number, bytes: Uint8Array): void {
  out.push(kind)
  for (const byte of bytes) {
    out.push(byte)
    if (byte === 0) out.push(ESCAPED_ZERO)
  }
  out.push(0)
}

/** -0 equals 0, so both are written as 0; NaN has one form and sorts last. */
function writeNumber(target: Uint8Array, at: number, value: number): void {
  number.setFloat64(0, value === 0 ? 0 : value)
  const negative = number.getUint8(0) >= 0x80
  for (let index = 0; index < 8; index++) {
    const byte = number.getUint8(index)
    target[at + index] = negative ? byte ^ 0xff : index === 0 ? byte ^ 0x80 : byte
  }
}

interface Reader {
  readonly bytes: Uint8Array
  at: number
}

function read(reader: Reader, alone: boolean): CanonicalKey {
  const kind = next(reader)
  if (kind === NULL) return null
  if (kind === FALSE || kind === TRUE) return kind === TRUE
  if (kind === NUMBER) return readNumber(reader)
  if (kind === STRING) return readEscaped(reader, alone).toString("utf8")
  if (kind === BYTES) return Uint8Array.from(readEscaped(reader, alone))
  if (kind !== TUPLE) throw new SerdeError(NAME, `0x${kind.toString(16)} starts no key`)
  const elements: CanonicalKey[] = []
  while (reader.bytes[reader.at] !== TUPLE_END) elements.push(read(reader, false))
  reader.at++
  return elements
}

function readNumber(reader: Reader): number {
  const negative = reader.bytes[reader.at]! < 0x80
  for (let index = 0; index < 8; index++) {
    const byte = next(reader)
    number.setUint8(index, negative ? byte ^ 0xff : index === 0 ? byte ^ 0x80 : byte)
  }
  return number.getFloat64(0)
}

function readEscaped(reader: Reader, alone: boolean): Buffer {
  const { bytes } = reader
  const plain: number[] = []
  while (true) {
    if (alone && reader.at === bytes.length) return Buffer.from(plain)
    const byte = next(reader)
    if (byte !== 0) plain.push(byte)
    else if (bytes[reader.at] === ESCAPED_ZERO) {
      plain.push(0)
      reader.at++
    } else return Buffer.from(plain)
  }
}

function next(reader: Reader): number {
  const byte = reader.bytes[reader.at++]
  if (byte === undefined) throw new SerdeError(NAME, "the bytes end in the middle of a key")
  return byte
}
