/**
 * The task of the file source: reads records on from the stored offset, at the rate it is allowed.
 *
 * The source partition is {filename}, the offset {position, record}: the position at which the next record starts (or
 * ends the one before it, see `format/scanner.ts`) and how many records lie before it. Position alone decides.
 */
import {
  DataError,
  RateLimit,
  type ConnectSchema,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from "@millrace/connect/sdk"
import { sleep } from "@millrace/host"
import { coerce } from "./coerce.ts"
import type { FileSourceSettings } from "./file-config.ts"
import { fileSchema } from "./file-schema.ts"
import { FormatError } from "./format/scanner.ts"
import { RecordReader } from "./record-reader.ts"
import { type TimestampReader, timestampFormat } from "./timestamp-format.ts"

/** Waiting for the rate limit ends after this long, so that a paused task is not kept. */
const WAIT_MS_MAX = 1_000

/** A record that cannot be read, with its place; the fault is in the file or the settings. */
export class FileRecordError extends Error {
  override readonly name = "FileRecordError"
}

export class FileSourceTask implements SourceTask {
  readonly #settings: FileSourceSettings
  readonly #context: SourceTaskContext
  readonly #schema: ConnectSchema | undefined
  readonly #keySchema: ConnectSchema | undefined
  readonly #readTimestamp: TimestampReader
  readonly #rate: RateLimit
  readonly #reader: RecordReader
  readonly #sourcePartition: { readonly filename: string }
  #record: number

  constructor(settings: FileSourceSettings, context: SourceTaskContext) {
    this.#settings = settings
    this.#context = context
    this.#sourcePartition = { filename: settings.file }
    const offset = context.offset(this.#sourcePartition)
    const position = wholeNumber(offset?.["position"])
    this.#record = wholeNumber(offset?.["record"])
    this.#schema = fileSchema(context.host.disk, settings)
    this.#keySchema = this.#schema?.fields?.find((field) => field.name === settings["key.field"])?.schema
    this.#checkFields()
    const format = timestampFormat(settings["timestamp.format"])
    this.#readTimestamp = "read" in format ? format.read : () => undefined
    this.#rate = new RateLimit(settings["max.records.per.second"], context.host.clock.monotonic())
    this.#reader = new RecordReader(context.host.disk, settings, position)
    if (this.#reader.sizeBytes < position) throw this.#shorter(position)
  }

  async poll(): Promise<readonly SourceRecord[] | undefined> {
    const { clock } = this.#context.host
    const allowed = this.#rate.take(this.#settings["batch.size"], clock.monotonic())
    if (allowed === 0) {
      await sleep(clock, Math.min(WAIT_MS_MAX, this.#rate.delayMs()), this.#context.signal)
      return []
    }
    const records: SourceRecord[] = []
    while (records.length < allowed) {
      const record = this.#next()
      if (!record) break
      records.push(record)
    }
    if (records.length > 0) return records
    if (!this.#settings.tail) return undefined
    await sleep(clock, this.#settings["poll.interval.ms"], this.#context.signal)
    return []
  }

  stop(): void {
    this.#reader.close()
  }

  #next(): SourceRecord | undefined {
    try {
      const scanned = this.#reader.next()
      if (!scanned) return undefined
      this.#record++
      return this.#toRecord(scanned.value, scanned.end)
    } catch (cause) {
      if (!(cause instanceof FormatError || cause instanceof DataError)) throw cause
      const number = cause instanceof FormatError ? this.#record + 1 : this.#record
      throw new FileRecordError(`${this.#settings.file}, record ${number}: ${cause.message}`, { cause })
    }
  }

  #toRecord(raw: unknown, end: number): SourceRecord {
    const settings = this.#settings
    const schema = this.#schema
    const value = schema ? coerce(schema, raw, "value") : raw
    const keyField = settings["key.field"]
    const timestamp = this.#timestamp(value)
    return {
      sourcePartition: this.#sourcePartition,
      sourceOffset: { position: end, record: this.#record },
      topic: settings.topic,
      key: keyField === null ? null : ((value as Record<string, unknown>)[keyField] ?? null),
      keySchema: this.#keySchema,
      value,
      valueSchema: schema,
      ...(timestamp !== undefined && { timestamp }),
    }
  }

  #timestamp(value: unknown): number | undefined {
    const field = this.#settings["timestamp.field"]
    if (field === null) return this.#settings["record.timestamp"] ?? undefined
    const found = (value as Record<string, unknown>)[field]
    const timestamp = this.#readTimestamp(found)
    if (timestamp !== undefined) return timestamp
    throw new DataError(
      `timestamp.field ${field} is ${JSON.stringify(found)}, not of timestamp.format ${this.#settings["timestamp.format"]}`,
    )
  }

  #checkFields(): void {
    const known = this.#schema?.fields?.map((field) => field.name)
    for (const key of ["key.field", "timestamp.field"] as const) {
      const field = this.#settings[key]
      if (field === null || (known ? known.includes(field) : !this.#schema)) continue
      throw new Error(
        `${key}: ${this.#settings.file} has no field ${field}; it has ${known?.join(", ") ?? "lines only"}`,
      )
    }
  }

  #shorter(position: number): Error {
    this.#reader.close()
    const { file } = this.#settings
    return new Error(
      `${file} is shorter than the ${position} bytes already read: stop the connector and delete its offsets to start over`,
    )
  }
}

function wholeNumber(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0
}
