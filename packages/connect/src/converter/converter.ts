/**
 * Converters turn data with schemas into the bytes of a topic and back.
 *
 * Both directions are synchronous, since they run once a record. What a converter must first ask a schema registry for
 * it raises as `SchemaPending` (or as the serdes' `UnknownSchemaId`, which has the same `resolve`): the task awaits
 * `resolve()` and converts the same record again. Null bytes are a tombstone: data null without a schema.
 */
import type { ConfigTable, Values } from "@millrace/config"
import type { Registry } from "@millrace/schema"
import type { ConnectSchema } from "../data/schema.ts"
import type { SchemaAndValue } from "../data/record.ts"

export interface Converter {
  fromConnect(topic: string, schema: ConnectSchema | undefined, value: unknown): Uint8Array | null
  toConnect(topic: string, bytes: Uint8Array | null): SchemaAndValue
}

export interface ConverterContext {
  readonly isKey: boolean
  /** The registry at a URL; the worker keeps one client for each. Without a URL, the worker's own registry. */
  registry(url: string | null): Registry
}

/** A converter as connectors' configs name it: by class name, Kafka's own among the aliases. */
export interface ConverterDefinition<T extends ConfigTable = ConfigTable> {
  readonly className: string
  readonly aliases: readonly string[]
  readonly version: string
  readonly config: T
  create(config: Values<T>, context: ConverterContext): Converter
}

/** Keeps the type of its config table between `config` and `create`. */
export const defineConverter = <const T extends ConfigTable>(definition: ConverterDefinition<T>) =>
  definition as unknown as ConverterDefinition

/** Not a fault of the data: a schema has to be fetched or registered first. */
export class SchemaPending extends Error {
  override readonly name = "SchemaPending"
  readonly resolve: () => Promise<void>
  constructor(message: string, resolve: () => Promise<void>) {
    super(message)
    this.resolve = resolve
  }
}

/** What to await before the conversion is tried again, when `error` says it only had to wait. */
export function pendingSchema(error: unknown): (() => Promise<void>) | undefined {
  if (!(error instanceof Error)) return undefined
  const waits = error.name === "SchemaPending" || error.name === "UnknownSchemaId"
  return waits ? (error as SchemaPending).resolve : undefined
}
