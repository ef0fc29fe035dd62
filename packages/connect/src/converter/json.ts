/**
 * Kafka Connect's JsonConverter: JSON with the schema in an envelope, or plain JSON when `schemas.enable` is false.
 */
import { boolean, define, int, oneOf } from "@millrace/config"
import { checkValue, type ConnectSchema, DataError, isPlainObject } from "../data/schema.ts"
import { type Converter, defineConverter } from "./converter.ts"
import { payloadFromJson, type PayloadOptions, payloadToJson, schemaFromJson, schemaToJson } from "./json-envelope.ts"

const config = define({
  "schemas.enable": boolean({
    default: true,
    doc: "Put the schema into every record, in an envelope with the payload; without it records are plain JSON.",
    importance: "HIGH",
  }),
  "schemas.cache.size": int({
    default: 1000,
    min: 0,
    doc: "How many parsed schemas of envelopes are kept.",
    importance: "HIGH",
  }),
  "decimal.format": oneOf(["BASE64", "NUMERIC"], {
    default: "BASE64",
    doc: "How decimals are written; both forms are read.",
    importance: "LOW",
  }),
  "replace.null.with.default": boolean({
    default: true,
    doc: "Replace a null field by its schema's default.",
    importance: "LOW",
  }),
})

export const jsonConverter = defineConverter({
  className: "JsonConverter",
  aliases: ["org.apache.kafka.connect.json.JsonConverter"],
  version: "0.1.0",
  config,
  create(values): Converter {
    const options: PayloadOptions = {
      decimalFormat: values["decimal.format"],
      replaceNullWithDefault: values["replace.null.with.default"],
    }
    return values["schemas.enable"] ? enveloped(options, values["schemas.cache.size"]) : plain(options)
  },
})

function plain(options: PayloadOptions): Converter {
  return {
    fromConnect(_topic, schema, value) {
      if (value === null || value === undefined) return null
      if (schema) checkValue(schema, value)
      return textBytes(schema ? payloadToJson(schema, value, options) : value)
    },
    toConnect: (_topic, bytes) => ({ schema: undefined, value: bytes === null ? null : parse(bytes) }),
  }
}

function enveloped(options: PayloadOptions, cacheSize: number): Converter {
  const parsed = new Map<string, ConnectSchema>()
  const printed = new WeakMap<ConnectSchema, string>()
  const printSchema = (schema: ConnectSchema): string => {
    let text = printed.get(schema)
    if (text === undefined) printed.set(schema, (text = JSON.stringify(schemaToJson(schema, options))))
    return text
  }
  const readSchema = (json: unknown): ConnectSchema => {
    const text = JSON.stringify(json)
    const known = parsed.get(text)
    if (known) return known
    const schema = schemaFromJson(json, options)
    if (parsed.size >= cacheSize) parsed.delete(parsed.keys().next().value ?? "")
    if (cacheSize > 0) parsed.set(text, schema)
    return schema
  }
  return {
    fromConnect(_topic, schema, value) {
      if (schema === undefined && (value === null || value === undefined)) return null
      if (!schema) return textBytes({ schema: null, payload: value })
      checkValue(schema, value)
      const payload = JSON.stringify(payloadToJson(schema, value, options))
      return Buffer.from(`{"schema":${printSchema(schema)},"payload":${payload}}`, "utf8")
    },
    toConnect(_topic, bytes) {
      if (bytes === null) return { schema: undefined, value: null }
      const json = parse(bytes)
      if (!isPlainObject(json) || !("schema" in json) || !("payload" in json) || Object.keys(json).length !== 2) {
        throw new DataError(
          "schemas.enable asks for records of the form {schema, payload}; for plain JSON set schemas.enable to false",
        )
      }
      if (json["schema"] === null) return { schema: undefined, value: json["payload"] }
      const schema = readSchema(json["schema"])
      return { schema, value: payloadFromJson(schema, json["payload"], options, "payload") }
    },
  }
}

function textBytes(value: unknown): Uint8Array {
  const text = JSON.stringify(value)
  if (text === undefined) throw new DataError(`${typeof value} has no JSON form`)
  return Buffer.from(text, "utf8")
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"))
  } catch (cause) {
    throw new DataError(`not JSON: ${(cause as Error).message}`, { cause })
  }
}
