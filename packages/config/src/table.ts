/**
 * A configuration table: Kafka names to entries. The one place a component's settings are written down; the types,
 * defaults, validation, help, documentation and DescribeConfigs answers all derive from it.
 */
import type { Entry } from "./entry.ts"

// oxlint-disable-next-line typescript/no-explicit-any -- a table mixes entries of all value types
export type ConfigTable = { readonly [name: string]: Entry<any> }

/** The values of a table, keyed by Kafka name. */
export type Values<T extends ConfigTable> = {
  readonly [Name in keyof T]: T[Name] extends Entry<infer V> ? V : never
}

export function define<const T extends ConfigTable>(table: T): T {
  return table
}
