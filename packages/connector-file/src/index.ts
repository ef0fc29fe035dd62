/**
 * The file source: one file, its records into one topic, exactly once.
 */
import { defineSource } from "@millrace/connect/sdk"
import { connectSchemaOfAvro } from "@millrace/connect/converter/avro-schema"
import { fileSourceConfig, formatOf } from "./file-config.ts"
import { FileSourceTask } from "./file-task.ts"

export const fileSource = defineSource({
  kind: "source",
  className: "FileSource",
  aliases: [
    "org.apache.kafka.connect.file.FileStreamSourceConnector",
    "FileStreamSourceConnector",
    "FileStreamSource",
    "millrace.FileSource",
  ],
  version: "0.1.0",
  doc: "Reads a JSON array, JSON lines, a table of comma-separated values or lines of text into a topic.",
  config: fileSourceConfig,
  exactlyOnce: true,
  check(config) {
    const wrong: { key: string; message: string }[] = []
    if (config.schema !== null && config["schema.file"] !== null) {
      wrong.push({ key: "schema.file", message: "schema and schema.file are both set: leave one out" })
    }
    const schemaKey = config.schema === null ? "schema.file" : "schema"
    if (config[schemaKey] !== null && formatOf(config) === "lines") {
      wrong.push({
        key: schemaKey,
        message: `${schemaKey} is set, and lines of text have no fields: set another format, or leave it out`,
      })
    } else if (config.schema !== null) {
      const reason = whyNoSchema(config.schema)
      if (reason !== undefined) wrong.push({ key: "schema", message: `schema is no Avro schema: ${reason}` })
    }
    return wrong
  },
  createTask: (config, context) => new FileSourceTask(config, context),
  checkOffset(partition, offset) {
    if (typeof partition["filename"] !== "string") throw new Error("a source partition is {filename}")
    const position = offset?.["position"]
    if (offset && !(typeof position === "number" && Number.isSafeInteger(position) && position >= 0)) {
      throw new Error("an offset is {position}, a byte position in the file")
    }
  },
})

function whyNoSchema(text: string): string | undefined {
  try {
    connectSchemaOfAvro(text)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
