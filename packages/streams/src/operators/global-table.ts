/**
 * globalTable: a topic as the latest value per key, all of it in every process.
 *
 * State: a key-value store of the process, named after the topic (or as `store` says), restored fully before any record is
 * processed; the topic is its own changelog. Time: none. Its rows are those of the moment, whenever a record is processed:
 * they are not synchronised with streams, and reading them is no part of a transaction.
 * Null keys are passed over; a tombstone deletes the row. What does not decode: `onDeserializationFailure`. Its topic needs no co-partitioning with anything.
 */
import { PipelineError } from "../errors.ts"
import { Flow, type GlobalTable } from "../dsl/stream.ts"
import type { Topic } from "../dsl/topic.ts"
import { makeNode, type StoreSpec } from "../topology/node.ts"
import type { FailureHandler } from "../dsl/failure.ts"
import type { Operator } from "./operator.ts"

export interface GlobalTableOptions {
  /** Of the rows; default: the topic's name. */
  readonly store?: string
  /**
   * Bytes of its topic that do not decode: default is the pipeline's. "skip", or a dead letter, leaves the row before as it is;
   * which record it was is told in the log, and no dead letter is written, since reading a global table is no part of a
   * transaction. "fail" fails the record that looks the row up.
   */
  readonly onDeserializationFailure?: FailureHandler
  /** Rows keep the headers of their records, for queries (KIP-1271). Default: as the pipeline says. */
  readonly headers?: boolean
}

const globalTableOperator: Operator = {
  kind: "global-table",
  isGlobal: true,
  keepsHeaders: true,
  make: () => {
    throw new PipelineError("a global table has a reader, not a processor")
  },
}

export function globalTable<K, V>(topic: Topic<K, V>, options: GlobalTableOptions = {}): GlobalTable<K, V> {
  const { store: name = topic.name, onDeserializationFailure, headers } = options
  const { key, value } = topic
  const store: StoreSpec = { name, kind: "key-value", key, value, ...(headers !== undefined && { headers }) }
  const node = makeNode({
    operator: globalTableOperator,
    options: { topic: topic.name },
    functions: onDeserializationFailure === undefined ? {} : { onRecordFailure: () => onDeserializationFailure },
    stores: [store],
    key,
    value,
  })
  return new Flow("global table", node) as unknown as GlobalTable<K, V>
}
