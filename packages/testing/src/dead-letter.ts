/**
 * A record of a dead-letter topic, with what its headers say of the failure (KIP-1034).
 */
import type { LogEntry } from "./memory-log.ts"

export interface DeadLetter {
  /** As they were read, or as the dead-letter topic's serdes wrote them. */
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestamp: number
  readonly error: { readonly name: string; readonly message: string }
  /** Where the record came from. */
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Which operator failed. */
  readonly operator: string
}

export function deadLetterOf({ key, value, timestamp, headers }: LogEntry): DeadLetter {
  const told = (field: string): string => {
    const header = headers.find((one) => one.key === `__streams.errors.${field}`)
    return header?.value == null ? "" : Buffer.from(header.value).toString("utf8")
  }
  return {
    key,
    value,
    timestamp,
    error: { name: told("exception"), message: told("message") },
    topic: told("topic"),
    partition: Number(told("partition")),
    offset: Number(told("offset")),
    operator: told("operator"),
  }
}
