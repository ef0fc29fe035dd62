/**
 * The settings of the SQLite sink, under the names and with the defaults of the JDBC sinks.
 */
import { boolean, define, int, list, oneOf, string, type Values } from "@millrace/config"

export const sqliteSinkConfig = define({
  "connection.url": string({
    doc: "The database file, as sqlite:PATH, jdbc:sqlite:PATH or a path.",
    importance: "HIGH",
    example: "sqlite:data/out.db",
    check: (url) => (databasePath(url) === "" ? "names no file" : undefined),
  }),
  "table.name.format": string({
    default: "${topic}",
    doc: "The table to write to; ${topic} stands for the record's topic.",
  }),
  "insert.mode": oneOf(["insert", "upsert"], {
    default: "insert",
    doc: "insert adds rows; upsert replaces the row with the same primary key.",
    importance: "HIGH",
  }),
  "pk.mode": oneOf(["none", "kafka", "record_key", "record_value"], {
    default: "none",
    doc: "Where a row's primary key comes from: nowhere, topic, partition and offset, the record's key, or its value.",
    importance: "HIGH",
  }),
  "pk.fields": list({
    default: [],
    doc: "The primary key's columns: names for topic, partition and offset, for a primitive key, or the fields to take.",
  }),
  "fields.whitelist": list({ default: [], doc: "The value's fields to write; all when empty." }),
  "auto.create": boolean({ default: false, doc: "Create a table that does not exist." }),
  "auto.evolve": boolean({ default: false, doc: "Add columns that a table lacks." }),
  "delete.enabled": boolean({
    default: false,
    doc: "Delete the row of a record without value; needs pk.mode record_key.",
  }),
  "batch.size": int({ default: 3_000, min: 1, doc: "The most records written in one transaction." }),
  "busy.timeout.ms": int({
    default: 5_000,
    min: 0,
    doc: "How long to wait for another process's lock on the database before the write is tried again later.",
  }),
  "offsets.table": string({
    default: "__millrace_offsets",
    doc: "The table that keeps the offsets of what was written, in the same transaction as the rows.",
    importance: "LOW",
  }),
})

export type SqliteSinkSettings = Values<typeof sqliteSinkConfig>

export const databasePath = (url: string): string => url.replace(/^(jdbc:)?sqlite:(\/\/(?=\/))?/, "")

export const KAFKA_COLUMNS = ["__connect_topic", "__connect_partition", "__connect_offset"] as const
