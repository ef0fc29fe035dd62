/**
 * Dead letters: a record that a connector could not take, with headers that say where from and why. A sink's is as it
 * came; a source's is JSON, since it could not become anything else.
 */
import type { SourceRecord } from "../data/record.ts"
import type { Stage } from "./tolerance.ts"

export interface RawHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface RawRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RawHeader[]
}

/** Where a record came from: in a topic, or in a source's own terms. */
export interface DeathPlace {
  readonly topic: string
  readonly partition: number | string
  readonly offset: number | string
}

export interface DeathContext {
  readonly connector: string
  readonly task: number
  readonly stage: Stage
  /** The class of what failed: converter or connector. */
  readonly className: string
  readonly error: Error
}

const PREFIX = "__connect.errors."

/** The headers that describe a death, under Kafka Connect's names. */
export function deadLetterHeaders(place: DeathPlace, death: DeathContext): RawHeader[] {
  const { error } = death
  const context: readonly (readonly [string, string | number])[] = [
    ["topic", place.topic],
    ["partition", place.partition],
    ["offset", place.offset],
    ["connector.name", death.connector],
    ["task.id", death.task],
    ["stage", death.stage],
    ["class.name", death.className],
    ["exception.class.name", error.name],
    ["exception.message", error.message],
    ["exception.stacktrace", error.stack ?? error.message],
  ]
  return context.map(([name, text]) => ({ key: PREFIX + name, value: Buffer.from(String(text)) }))
}

/** A record that a source could not write, as JSON; bytes in it are base64. */
export function sourceDeadLetter(record: SourceRecord, death: DeathContext) {
  const place = {
    topic: record.topic,
    partition: JSON.stringify(record.sourcePartition),
    offset: JSON.stringify(record.sourceOffset),
  }
  return { key: jsonBytes(record.key), value: jsonBytes(record.value), headers: deadLetterHeaders(place, death) }
}

function jsonBytes(value: unknown): Uint8Array | null {
  if (value === null || value === undefined) return null
  const text = JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Uint8Array) return Buffer.from(part).toString("base64")
    return typeof part === "bigint" ? String(part) : part
  })
  return text === undefined ? null : Buffer.from(text, "utf8")
}
