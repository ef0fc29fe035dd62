/**
 * The JSON serdes under one name: `json()` is JSON text without a schema.
 */
import { jsonText } from "./json-text.ts"
import type { Serde } from "./serde.ts"

export function json<T = unknown>(): Serde<T> {
  return jsonText<T>()
}
