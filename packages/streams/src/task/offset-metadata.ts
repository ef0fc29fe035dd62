/**
 * What a task writes into the metadata of the offsets it commits: the transaction's number, by which an unknown outcome
 * is decided, and the task's times, which must commit and abort with the offsets.
 */
import { StateError } from "../errors.ts"

export interface OffsetMetadata {
  /** Unique per transaction of an application. */
  readonly transaction: string
  /** Cells of operators that own no store. */
  readonly cells: { readonly [name: string]: number }
  /** Upstream tasks' times by topic-partition of a repartition topic. */
  readonly upstream: { readonly [partition: string]: string }
}

const VERSION = 1
/** Kafka's default `offset.metadata.max.bytes`. */
const METADATA_BYTES_MAX = 4_096

export function encodeMetadata({ transaction, cells, upstream }: OffsetMetadata): string {
  const text = JSON.stringify({ v: VERSION, t: transaction, c: cells, u: upstream })
  if (Buffer.byteLength(text) > METADATA_BYTES_MAX) {
    throw new StateError(
      `a task's times take ${Buffer.byteLength(text)} bytes of offset metadata, ${METADATA_BYTES_MAX} are the most: ` +
        "the topology has too many upstream tasks for one repartition topic; give it fewer partitions",
    )
  }
  return text
}

/** undefined for metadata that is not ours: offsets set by a tool, or none at all. */
export function decodeMetadata(text: string | null | undefined): OffsetMetadata | undefined {
  if (text === null || text === undefined || !text.startsWith("{")) return undefined
  try {
    const { v, t, c, u } = JSON.parse(text)
    return v === VERSION && typeof t === "string" ? { transaction: t, cells: c ?? {}, upstream: u ?? {} } : undefined
  } catch {
    return undefined
  }
}
