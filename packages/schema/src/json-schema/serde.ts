/**
 * The JSON serde with a schema: of an Effect schema, or of a JSON Schema as such.
 *
 * Bound to a registry it writes the registry's wire format (`00`, schema id, JSON text); unbound, JSON text alone. JSON
 * describes itself, so the writer's schema is not needed to read: an Effect schema checks and restores its own type,
 * values of a plain JSON Schema are taken as they come. What does not fit the schema is refused on encode.
 */
import * as Schema from "effect/Schema"
import { SerdeError } from "../errors.ts"
import { jsonText } from "../json-text.ts"
import type { Serde, SerdeBinding } from "../serde.ts"
import { type SubjectNameStrategy, topicName } from "../subject-name.ts"
import { SCHEMA_ID_BYTES, schemaIdOf, schemaIdPrefix } from "../wire-format.ts"
import { fromEffect } from "./from-effect.ts"
import { type JsonSchema, jsonValidator } from "./validate.ts"

export interface JsonOptions {
  /** Under which subject the schema is registered. Default: `topicName`. */
  readonly subject?: SubjectNameStrategy
  /** Register the schema when it is new to the subject (default), or only look it up. */
  readonly register?: boolean
}

export interface JsonSerde<T> extends Serde<T> {
  /** The text of the schema, as it is registered. */
  readonly schema: string
  bind(binding: SerdeBinding): Promise<Serde<T>>
}

/** What a serde does between the user's values and JSON's. */
interface Shape {
  readonly name: string
  readonly schema: JsonSchema
  readonly title: string | undefined
  readonly toJson: (value: any) => unknown
  readonly fromJson: (json: unknown) => unknown
}

export function jsonSerde(schema: unknown, options: JsonOptions): JsonSerde<any> {
  return Schema.isSchema(schema) ? ofEffect(schema, options) : ofJsonSchema(schema as JsonSchema, options)
}

function ofEffect(schema: Schema.Top, options: JsonOptions): JsonSerde<any> {
  const name = `json(${schema.ast.annotations?.identifier ?? schema.ast._tag})`
  return unbound({ name, ...fromEffect(name, schema as Schema.Codec<any, any>) }, options)
}

function ofJsonSchema(schema: JsonSchema, options: JsonOptions): JsonSerde<any> {
  const title = typeof schema === "object" && typeof schema.title === "string" ? schema.title : undefined
  const name = `json(${title ?? "schema"})`
  const validate = jsonValidator(schema)
  const toJson = (value: unknown): unknown => {
    const reason = validate(value)
    if (reason !== undefined) throw new SerdeError(name, reason)
    return value
  }
  return unbound({ name, schema, title, toJson, fromJson: (json) => json }, options)
}

function unbound(shape: Shape, options: JsonOptions): JsonSerde<any> {
  const { name, title, toJson, fromJson } = shape
  const text = jsonText<unknown>(name)
  const schema = JSON.stringify(shape.schema)
  const prefixed = (prefix: Uint8Array): Serde<any> => ({
    name,
    encode: (value) => Buffer.concat([prefix, text.encode(toJson(value))]),
    decode(bytes) {
      schemaIdOf(name, bytes)
      return fromJson(text.decode(bytes.subarray(SCHEMA_ID_BYTES)))
    },
  })
  return {
    name,
    schema,
    encode: (value) => text.encode(toJson(value)),
    decode: (bytes) => fromJson(text.decode(bytes)),
    async bind({ registry, topic, isKey }) {
      const subject = (options.subject ?? topicName)({ topic, isKey, recordName: title })
      const registered = { schemaType: "JSON", schema } as const
      const id = await (options.register === false
        ? registry.lookup(subject, registered)
        : registry.register(subject, registered))
      return prefixed(schemaIdPrefix(id))
    },
  }
}
