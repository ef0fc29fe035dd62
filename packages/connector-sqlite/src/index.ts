/**
 * The SQLite sink: rows by insert or upsert, exactly once, since the file keeps the offsets of what it holds.
 */
import { defineSink } from "@millrace/connect/sdk"
import { SinkDatabase } from "./database.ts"
import { sqliteSinkConfig } from "./sqlite-config.ts"
import { SqliteSinkTask } from "./sqlite-task.ts"

export const sqliteSink = defineSink({
  kind: "sink",
  className: "SqliteSink",
  aliases: ["millrace.SqliteSink"],
  version: "0.1.0",
  doc: "Writes records as rows of a SQLite database.",
  config: sqliteSinkConfig,
  check(config) {
    const wrong: { key: string; message: string }[] = []
    const refuse = (key: string, message: string) => wrong.push({ key, message })
    const mode = config["pk.mode"]
    const fields = config["pk.fields"]
    if (config["insert.mode"] === "upsert" && mode === "none") {
      refuse("pk.mode", "insert.mode=upsert needs a primary key: set pk.mode to record_key, record_value or kafka")
    }
    if (mode === "record_value" && fields.length === 0) {
      refuse("pk.fields", "pk.mode=record_value needs the fields that are the primary key")
    }
    if (mode === "kafka" && fields.length !== 0 && fields.length !== 3) {
      refuse("pk.fields", "pk.mode=kafka takes three column names, for topic, partition and offset, or none")
    }
    if (config["delete.enabled"] && mode !== "record_key") {
      refuse("delete.enabled", "deleting needs pk.mode=record_key")
    }
    return wrong
  },
  createTask: (config, context) => new SqliteSinkTask(config, context),
  alterOffsets(config, connector, offsets) {
    const database = new SinkDatabase(config, connector, (_record, error) => {
      throw error
    })
    try {
      database.alter(offsets)
    } finally {
      database.close()
    }
  },
})
