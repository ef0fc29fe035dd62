/**
 * The file source: one file, its records into one topic, exactly once.
 */
import { defineSource } from "@millrace/connect/sdk"
import { fileSourceConfig } from "./file-config.ts"
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
