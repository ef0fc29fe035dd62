/**
 * Avro schemas that use named types of other subjects.
 */
import type { Registry, SchemaText } from "../registry/registry.ts"
import { type ParsedAvro, parseAvro } from "./parse.ts"
import type { AvroNamedType } from "./schema.ts"

/** Parses a schema after all it refers to, each subject and version once. */
export async function parseReferring(registry: Registry, schema: SchemaText): Promise<ParsedAvro> {
  const names = new Map<string, AvroNamedType>()
  const loaded = new Set<string>()
  await load(schema)
  return parseAvro(schema.schema, { references: names })

  async function load(parent: SchemaText): Promise<void> {
    for (const reference of parent.references ?? []) {
      const key = `${reference.version} ${reference.subject}`
      if (loaded.has(key)) continue
      loaded.add(key)
      const referenced = await registry.schemaByVersion(reference.subject, reference.version)
      await load(referenced)
      for (const [name, type] of parseAvro(referenced.schema, { references: names }).names) names.set(name, type)
    }
  }
}
