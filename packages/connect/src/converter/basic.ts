/**
 * Converters for one primitive type each, with the bytes of Kafka's own serializers: String, ByteArray, Boolean, Short,
 * Integer, Long, Float, Double. Numbers are big-endian. They have no schema in the bytes, so reading answers an optional
 * schema of their type, as Kafka's do.
 */
import { define, oneOf } from "@millrace/config"
import { type ConnectSchema, DataError, type PrimitiveType, checkValue, show } from "../data/schema.ts"
import { type Converter, type ConverterDefinition, defineConverter } from "./converter.ts"

const VERSION = "0.1.0"

const stringConfig = define({
  "converter.encoding": oneOf(["UTF-8", "utf-8", "UTF8", "utf8"], {
    default: "UTF-8",
    doc: "The character set of the text; UTF-8 is the only one.",
    importance: "LOW",
  }),
})

/** Text of anything: strings as they are, numbers and booleans printed, objects and arrays as JSON. */
export const stringConverter = defineConverter({
  className: "StringConverter",
  aliases: ["org.apache.kafka.connect.storage.StringConverter"],
  version: VERSION,
  config: stringConfig,
  create: (): Converter => ({
    fromConnect: (_topic, _schema, value) =>
      value === null || value === undefined ? null : Buffer.from(textOf(value), "utf8"),
    toConnect: (_topic, bytes) => ({
      schema: OPTIONAL.string,
      value: bytes === null ? null : bufferOf(bytes).toString("utf8"),
    }),
  }),
})

function textOf(value: unknown): string {
  if (typeof value === "string") return value
  if (value instanceof Uint8Array) return bufferOf(value).toString("utf8")
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}

interface Codec {
  readonly type: PrimitiveType
  readonly length: number
  write(view: DataView, value: number): void
  read(view: DataView): number
}

const NUMBERS: Readonly<Record<string, Codec>> = {
  ShortConverter: { type: "int16", length: 2, write: (v, n) => v.setInt16(0, n), read: (v) => v.getInt16(0) },
  IntegerConverter: { type: "int32", length: 4, write: (v, n) => v.setInt32(0, n), read: (v) => v.getInt32(0) },
  LongConverter: { type: "int64", length: 8, write: writeLong, read: readLong },
  FloatConverter: { type: "float32", length: 4, write: (v, n) => v.setFloat32(0, n), read: (v) => v.getFloat32(0) },
  DoubleConverter: { type: "float64", length: 8, write: (v, n) => v.setFloat64(0, n), read: (v) => v.getFloat64(0) },
}

function writeLong(view: DataView, value: number): void {
  view.setInt32(0, Math.floor(value / 2 ** 32))
  view.setUint32(4, value >>> 0)
}

function readLong(view: DataView): number {
  const value = view.getInt32(0) * 2 ** 32 + view.getUint32(4)
  if (!Number.isSafeInteger(value)) throw new DataError(`${view.getBigInt64(0)} is beyond what a number holds exactly`)
  return value
}

const numberConverters = Object.entries(NUMBERS).map(([className, codec]) => {
  const { type, length } = codec
  return primitive(className, type, {
    encode(value) {
      const bytes = new Uint8Array(length)
      codec.write(new DataView(bytes.buffer), value as number)
      return bytes
    },
    decode(bytes) {
      if (bytes.length !== length) throw new DataError(`${type} takes ${length} bytes, found ${bytes.length}`)
      return codec.read(new DataView(bytes.buffer, bytes.byteOffset, length))
    },
  })
})

const booleanConverter = primitive("BooleanConverter", "boolean", {
  encode: (value) => Uint8Array.of(value ? 1 : 0),
  decode(bytes) {
    if (bytes.length !== 1 || bytes[0]! > 1) throw new DataError("boolean takes one byte, 0 or 1")
    return bytes[0] === 1
  },
})

/** Bytes as they are. */
export const byteArrayConverter = primitive("ByteArrayConverter", "bytes", {
  encode: (value) => value as Uint8Array,
  decode: (bytes) => bytes,
})

export const basicConverters: readonly ConverterDefinition[] = [
  stringConverter,
  byteArrayConverter,
  booleanConverter,
  ...numberConverters,
]

function primitive(
  className: string,
  type: PrimitiveType,
  codec: { encode(value: unknown): Uint8Array; decode(bytes: Uint8Array): unknown },
): ConverterDefinition {
  return defineConverter({
    className,
    aliases: [`org.apache.kafka.connect.converters.${className}`],
    version: VERSION,
    config: define({}),
    create: (): Converter => ({
      fromConnect(_topic, schema, value) {
        if (schema && schema.type !== type) {
          throw new DataError(`${className} writes ${type}, the schema says ${schema.type}: ${show(value)}`)
        }
        if (value === null || value === undefined) return null
        checkValue(OPTIONAL[type], value)
        return codec.encode(value)
      },
      toConnect: (_topic, bytes) => ({ schema: OPTIONAL[type], value: bytes === null ? null : codec.decode(bytes) }),
    }),
  })
}

const optional = (type: PrimitiveType): ConnectSchema => ({ type, optional: true })

const OPTIONAL: Readonly<Record<PrimitiveType, ConnectSchema>> = {
  int8: optional("int8"),
  int16: optional("int16"),
  int32: optional("int32"),
  int64: optional("int64"),
  float32: optional("float32"),
  float64: optional("float64"),
  boolean: optional("boolean"),
  string: optional("string"),
  bytes: optional("bytes"),
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
