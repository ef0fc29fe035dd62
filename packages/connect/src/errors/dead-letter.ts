/**
 * Dead letters: a record that a sink could not take, as it came, with headers that say where from and why.
 */
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

export interface DeathContext {
  readonly connector: string
  readonly task: number
  readonly stage: Stage
  /** The class of what failed: converter or connector. */
  readonly className: string
  readonly error: Error
}

const PREFIX = "__connect.errors."

/** The headers of a dead letter: its own, and Kafka Connect's that describe its death. */
export function deadLetterHeaders(record: RawRecord, death: DeathContext): RawHeader[] {
  const { error } = death
  const context: readonly (readonly [string, string | number])[] = [
    ["topic", record.topic],
    ["partition", record.partition],
    ["offset", record.offset],
    ["connector.name", death.connector],
    ["task.id", death.task],
    ["stage", death.stage],
    ["class.name", death.className],
    ["exception.class.name", error.name],
    ["exception.message", error.message],
    ["exception.stacktrace", error.stack ?? error.message],
  ]
  return [
    ...record.headers,
    ...context.map(([name, text]): RawHeader => ({ key: PREFIX + name, value: Buffer.from(String(text)) })),
  ]
}
