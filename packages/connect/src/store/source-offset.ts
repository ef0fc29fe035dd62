/**
 * Source offsets as Kafka Connect writes them to its offsets topic: the key is the JSON array of connector and source
 * partition, the value the offset as a JSON object, or null when it is gone.
 *
 *   ["flights",{"filename":"flights.json"}]  ->  {"position":4711,"record":50}
 *
 * Two partitions are equal when their fields are, in whatever order they were written.
 */
import type { SourceOffset, SourcePartition } from "../data/record.ts"
import { DataError, isPlainObject } from "../data/schema.ts"

export interface StoredOffset {
  readonly connector: string
  readonly partition: SourcePartition
  readonly offset: SourceOffset | null
}

export const offsetKey = (connector: string, partition: SourcePartition): Uint8Array =>
  Buffer.from(JSON.stringify([connector, sorted(checked(partition, "partition"))]), "utf8")

export const offsetValue = (offset: SourceOffset | null): Uint8Array | null =>
  offset === null ? null : Buffer.from(JSON.stringify(checked(offset, "offset")), "utf8")

/** The name of a partition within its connector. */
export const partitionName = (partition: SourcePartition): string => JSON.stringify(sorted(partition))

/** Undefined for records that are no offsets: another program's, or of a future version. */
export function readOffset(key: Uint8Array | null, value: Uint8Array | null): StoredOffset | undefined {
  if (key === null) return undefined
  const keyJson = json(key)
  if (!Array.isArray(keyJson) || keyJson.length !== 2) return undefined
  const [connector, partition] = keyJson as unknown[]
  const offset = value === null ? null : json(value)
  if (typeof connector !== "string" || !isPlainObject(partition)) return undefined
  if (offset !== null && !isPlainObject(offset)) return undefined
  return { connector, partition: partition as SourcePartition, offset: offset as SourceOffset | null }
}

function checked<T extends SourcePartition | SourceOffset>(fields: T, what: string): T {
  for (const [name, value] of Object.entries(fields)) {
    const fits = value === null || ["string", "number", "boolean"].includes(typeof value)
    if (!fits) throw new DataError(`a source ${what} holds text, numbers, booleans and nulls; ${name} is none of them`)
  }
  return fields
}

const sorted = (partition: SourcePartition): SourcePartition =>
  Object.fromEntries(Object.entries(partition).sort(([left], [right]) => (left < right ? -1 : 1)))

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"))
  } catch {
    return undefined
  }
}
