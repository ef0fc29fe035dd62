/**
 * The schema of a file's records: as given, or inferred from the start of the file and corrected by `fields`.
 *
 * It depends on the settings and the file's beginning alone, never on where reading goes on, so that a restarted task
 * writes with the same schema.
 */
import { connectSchemaOfAvro } from "@millrace/connect/converter/avro-schema"
import type { ConnectSchema } from "@millrace/connect/data/schema"
import type { Disk } from "@millrace/host"
import { type FieldType, type FileSourceSettings, formatOf, parseFieldType } from "./file-config.ts"
import { Observed } from "./infer.ts"
import { RecordReader } from "./record-reader.ts"

/** Undefined when records are handed on without a schema. */
export function fileSchema(disk: Disk, settings: FileSourceSettings): ConnectSchema | undefined {
  if (formatOf(settings) === "lines") return { type: "string" }
  const given = settings.schema ?? readSchemaFile(disk, settings["schema.file"])
  if (given !== null) return connectSchemaOfAvro(given)
  return settings["schema.infer"] ? corrected(inferred(disk, settings), settings) : undefined
}

function readSchemaFile(disk: Disk, path: string | null): string | null {
  if (path === null) return null
  const bytes = disk.readFile(path)
  if (!bytes) throw new Error(`schema.file: cannot read ${path}: no such file`)
  return Buffer.from(bytes).toString("utf8")
}

function inferred(disk: Disk, settings: FileSourceSettings): ConnectSchema {
  const reader = new RecordReader(disk, settings)
  try {
    const observed = new Observed({ fromText: formatOf(settings) === "csv" })
    for (let count = 0; count < settings["schema.sample.records"]; count++) {
      const record = reader.next()
      if (!record) break
      observed.add(record.value)
    }
    return observed.schema(settings["schema.name"] ?? schemaNameOf(settings.topic))
  } finally {
    reader.close()
  }
}

function corrected(schema: ConnectSchema, settings: FileSourceSettings): ConnectSchema {
  const wishes = settings.fields.map((text) => parseFieldType(text)!)
  if (wishes.length === 0) return schema
  const fields = [...(schema.fields ?? [])]
  for (const wish of wishes) {
    const at = fields.findIndex((field) => field.name === wish.name)
    const field = { name: wish.name, schema: schemaOf(wish) }
    if (at < 0) fields.push(field)
    else fields[at] = field
  }
  return { ...schema, type: "struct", fields }
}

const schemaOf = (wish: FieldType): ConnectSchema =>
  wish.optional ? { type: wish.type, optional: true } : { type: wish.type }

/** `us-flights.v1` names its records UsFlightsV1. */
function schemaNameOf(topic: string): string {
  const name = topic
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("")
  return /^[A-Za-z]/.test(name) ? name : `Record${name}`
}
