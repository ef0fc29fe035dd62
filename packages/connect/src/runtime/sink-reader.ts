/**
 * Fetched bytes as sink records: converted under the error policy, dead letters set aside.
 */
import type { FetchedPartition } from "@millrace/client"
import type { RecordReader } from "@millrace/protocol/record/record"
import type { ConnectHeader, SchemaAndValue, SinkRecord } from "../data/record.ts"
import type { RawRecord } from "../errors/dead-letter.ts"
import type { Stage } from "../errors/tolerance.ts"
import type { Conversion, Converters } from "./conversion.ts"
import type { DeadLetters } from "./dead-letters.ts"

const NO_HEADERS: readonly ConnectHeader[] = []

export class SinkReader {
  readonly #conversion: Conversion
  readonly #converters: Converters
  readonly #deadLetters: DeadLetters

  constructor(conversion: Conversion, converters: Converters, deadLetters: DeadLetters) {
    this.#conversion = conversion
    this.#converters = converters
    this.#deadLetters = deadLetters
  }

  /** Adds the records of a partition; those that are skipped are missing. */
  async read(part: FetchedPartition, records: SinkRecord[]): Promise<void> {
    const cursor = part.cursor()
    while (cursor.next()) {
      const reader = cursor.record
      let record: SinkRecord | undefined
      try {
        record = this.#convert(part, reader)
      } catch (error) {
        const raw = rawOf(part, reader)
        record = await this.#conversion.recover(
          error,
          () => this.#convert(part, reader),
          (cause, stage) => this.#deadLetters.send(raw, cause, stage, this.#classOf(stage)),
        )
      }
      if (!record) continue
      if (this.#deadLetters.keepsBytes) this.#deadLetters.remember(record, rawOf(part, reader))
      records.push(record)
    }
  }

  #convert({ topic, partition }: FetchedPartition, reader: RecordReader): SinkRecord {
    const { key, value } = this.#converters
    this.#conversion.stage = "KEY_CONVERTER"
    const keyData: SchemaAndValue = key.toConnect(topic, reader.key())
    this.#conversion.stage = "VALUE_CONVERTER"
    const valueData: SchemaAndValue = value.toConnect(topic, reader.value())
    return {
      topic,
      partition,
      offset: reader.offset,
      timestamp: reader.timestamp,
      key: keyData.value,
      keySchema: keyData.schema,
      value: valueData.value,
      valueSchema: valueData.schema,
      headers: reader.headerCount === 0 ? NO_HEADERS : reader.headers().map(headerOf),
    }
  }

  #classOf(stage: Stage): string {
    return stage === "KEY_CONVERTER" ? this.#converters.keyClass : this.#converters.valueClass
  }
}

/** Headers as text where they are UTF-8, which most are; sinks see the bytes otherwise. */
function headerOf({ key, value }: { readonly key: string; readonly value: Uint8Array | null }): ConnectHeader {
  if (value === null) return { key, schema: { type: "string", optional: true }, value: null }
  const buffer = Buffer.from(value)
  const text = buffer.toString("utf8")
  const isText = Buffer.from(text, "utf8").equals(buffer)
  return isText ? { key, schema: { type: "string" }, value: text } : { key, schema: { type: "bytes" }, value: buffer }
}

const copy = (bytes: Uint8Array | null): Uint8Array | null => bytes && Uint8Array.from(bytes)

const rawOf = ({ topic, partition }: FetchedPartition, reader: RecordReader): RawRecord => ({
  topic,
  partition,
  offset: reader.offset,
  timestamp: reader.timestamp,
  key: copy(reader.key()),
  value: copy(reader.value()),
  headers: reader.headers().map(({ key, value }) => ({ key, value: copy(value) })),
})
