/**
 * The settings of the file source. `file`, `topic` and `batch.size` are those of Kafka's FileStreamSource.
 */
import { boolean, define, double, int, list, long, oneOf, string, type Values } from "@millrace/config"
import { timestampFormat } from "./timestamp-format.ts"

export const FORMATS = ["auto", "json-array", "json-lines", "csv", "lines"] as const
export type Format = Exclude<(typeof FORMATS)[number], "auto">

const FIELD_TYPES = ["string", "int", "long", "float", "double", "boolean"] as const

export const fileSourceConfig = define({
  file: string({ doc: "The file to read.", importance: "HIGH", example: "data/orders.jsonl" }),
  topic: string({ doc: "The topic to write to.", importance: "HIGH" }),
  format: oneOf(FORMATS, {
    default: "auto",
    doc: "How records lie in the file; auto goes by its name: .json is an array, .jsonl and .ndjson are JSON lines, .csv and .tsv tables, all else lines of text.",
    importance: "HIGH",
  }),
  "key.field": string({ default: null, doc: "The field whose value is the record's key." }),
  "timestamp.field": string({
    default: null,
    doc: "The field that holds the record's time. Without it, and without record.timestamp, records carry the time of reading.",
  }),
  "timestamp.format": string({
    default: "iso-8601",
    doc: "How that field is written: iso-8601, epoch-ms, epoch-s, or a pattern of yyyy MM dd HH mm ss SSS XXX. UTC unless it has a zone.",
    example: "yyyy/MM/dd HH:mm",
    check(format) {
      const result = timestampFormat(format)
      return "wrong" in result ? result.wrong : undefined
    },
  }),
  "record.timestamp": long({
    default: null,
    doc: "One time for every record, in milliseconds since the epoch, when timestamp.field is not set.",
  }),
  schema: string({
    default: null,
    doc: "The Avro schema of a record, as text. Without it and schema.file, a schema is inferred from the file.",
  }),
  "schema.file": string({ default: null, doc: "A file with the Avro schema of a record (.avsc)." }),
  "schema.name": string({
    default: null,
    doc: "The full name of an inferred schema; derived from the topic when not set.",
  }),
  "schema.infer": boolean({
    default: true,
    doc: "Infer a schema when none is given; false hands records on without one.",
  }),
  "schema.sample.records": int({
    default: 10_000,
    min: 1,
    doc: "How many records from the start of the file a schema is inferred from.",
  }),
  fields: list({
    default: [],
    doc: "Types of fields where the inferred ones are not right, name:type, with ? for a field that may be null.",
    example: "zip:string,latitude:double?",
    check(fields) {
      const wrong = fields.find((field) => !parseFieldType(field))
      return wrong === undefined
        ? undefined
        : `has ${wrong}, which is not name:type with type one of ${FIELD_TYPES.join(", ")}`
    },
  }),
  "csv.header": boolean({ default: true, doc: "The first row of a table names its columns." }),
  "csv.columns": list({ default: [], doc: "The names of a table's columns, where no header says them." }),
  "csv.delimiter": string({
    default: null,
    doc: "One character between cells; a tab for .tsv, otherwise a comma, when not set.",
    check: (text) =>
      text.length === 1 && text !== '"' && text.charCodeAt(0) < 0x80 ? undefined : "is not one ASCII character",
  }),
  "max.records.per.second": double({ default: 0, min: 0, doc: "The most records read in a second; 0 for no limit." }),
  "batch.size": int({ default: 2_000, min: 1, doc: "The most records handed over at a time." }),
  "record.bytes.max": int({ default: 1_048_576, min: 1, doc: "The longest record; a longer one is an error." }),
  tail: boolean({
    default: false,
    doc: "Follow the file as it grows; otherwise the task has nothing more to do at its end.",
  }),
  "poll.interval.ms": long({ default: 500, min: 1, doc: "How often a followed file is looked at." }),
})

export type FileSourceSettings = Values<typeof fileSourceConfig>

export interface FieldType {
  readonly name: string
  readonly type: "string" | "int32" | "int64" | "float32" | "float64" | "boolean"
  readonly optional: boolean
}

const CONNECT_TYPE: Readonly<Record<string, FieldType["type"]>> = {
  string: "string",
  int: "int32",
  long: "int64",
  float: "float32",
  double: "float64",
  boolean: "boolean",
}

export function parseFieldType(text: string): FieldType | undefined {
  const match = /^([^:]+):([a-z]+)(\?)?$/.exec(text)
  const type = CONNECT_TYPE[match?.[2] ?? ""]
  return match && type ? { name: match[1]!, type, optional: match[3] === "?" } : undefined
}

export function formatOf(settings: Pick<FileSourceSettings, "file" | "format">): Format {
  if (settings.format !== "auto") return settings.format
  const name = settings.file.toLowerCase()
  if (name.endsWith(".json")) return "json-array"
  if (name.endsWith(".jsonl") || name.endsWith(".ndjson")) return "json-lines"
  return name.endsWith(".csv") || name.endsWith(".tsv") ? "csv" : "lines"
}

export const delimiterOf = (settings: Pick<FileSourceSettings, "file" | "csv.delimiter">): string =>
  settings["csv.delimiter"] ?? (settings.file.toLowerCase().endsWith(".tsv") ? "\t" : ",")
