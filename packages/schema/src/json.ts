/**
 * JSON under one name: `json()` is text without a schema, `json(Order)` has one.
 */
import type * as Schema from "effect/Schema"
import { jsonSerde, type JsonOptions, type JsonSerde } from "./json-schema/serde.ts"
import type { JsonSchema } from "./json-schema/validate.ts"
import { jsonText } from "./json-text.ts"
import type { Serde } from "./serde.ts"

/** JSON text of anything that has a JSON form; nothing is checked. */
export function json<T = unknown>(): Serde<T>
/** Values of an Effect schema as JSON. */
export function json<T>(schema: Schema.Codec<T, any>, options?: JsonOptions): JsonSerde<T>
/** Values of a JSON Schema. */
export function json<T = any>(schema: JsonSchema, options?: JsonOptions): JsonSerde<T>
export function json(schema?: unknown, options: JsonOptions = {}): Serde<any> {
  return schema === undefined ? jsonText() : jsonSerde(schema, options)
}
