/**
 * globalStore: rows of every process that a function of one's own makes of a topic's records (Kafka Streams'
 * `addGlobalStore`): under another key than the records', of several records, or only of some.
 *
 *     const byName = S.globalStore("by-name", Users, { key: string, value: json<string>() }, ({ key, value }, rows) => {
 *       if (value !== null) rows.put(value.name, key!)
 *     })
 *
 * State: a key-value store of the process, as `name` says. It is whole before any record of a stream is processed: what the
 * topic held then has gone through the function. Rows lie on disk with the offsets up to which they were made: after a
 * restart the function sees what came since, and after a crash each record once too. It is seen for the first time where the
 * state is empty, the offset has left the log, or the state is older than the topic keeps deletions; then all of the topic
 * again. A function that makes other rows of the same records needs another `name`.
 * Time: none. The order is that of each partition. Null keys and tombstones are given to it too, as null.
 * Failures: what it does with a record that it throws on is taken back. `onProcessingFailure` says what then (KIP-1270); a
 * dead letter is a line in the log, since reading is outside transactions.
 */
import type { Serde } from "@millrace/schema"
import type { FailureHandler } from "../dsl/failure.ts"
import type { Rec } from "../dsl/record.ts"
import type { KeyValueState } from "../dsl/store.ts"
import { Flow, type GlobalTable } from "../dsl/stream.ts"
import type { Topic } from "../dsl/topic.ts"
import { PipelineError } from "../errors.ts"
import { makeNode, type StoreSpec } from "../topology/node.ts"
import type { Operator } from "./operator.ts"

export interface GlobalStoreOptions<K, V> {
  /** Of the rows. Default: the canonical codec, for strings, numbers, booleans, bytes and tuples of them. */
  readonly key?: Serde<K>
  /** Default: MessagePack. */
  readonly value?: Serde<V>
  /** A record's bytes do not decode: default is the pipeline's, and "fail", which ends the run. */
  readonly onDeserializationFailure?: FailureHandler
  /** The function threw, or a row did not encode: default is the pipeline's, and "fail", which ends the run. */
  readonly onProcessingFailure?: FailureHandler
  /** Rows keep the headers of the records that they are put for (KIP-1271). Default: as the pipeline says. */
  readonly headers?: boolean
}

const globalStoreOperator: Operator = {
  kind: "global-store",
  isGlobal: true,
  keepsHeaders: true,
  make: () => {
    throw new PipelineError("a global store has a reader, not a processor")
  },
}

export function globalStore<K, V, K2, V2>(
  name: string,
  topic: Topic<K, V>,
  options: GlobalStoreOptions<K2, V2>,
  update: (record: Rec<K | null, V | null>, rows: KeyValueState<K2, V2>) => void,
): GlobalTable<K2, V2> {
  const { onDeserializationFailure, onProcessingFailure, headers } = options
  const { key, value } = topic
  const store: StoreSpec = {
    name,
    kind: "key-value",
    key: options.key,
    value: options.value,
    ...(headers !== undefined && { headers }),
  }
  const node = makeNode({
    operator: globalStoreOperator,
    name,
    options: { topic: topic.name },
    functions: {
      update,
      ...(onProcessingFailure !== undefined && { onRecordFailure: () => onProcessingFailure }),
      ...(onDeserializationFailure !== undefined && { onDecodeFailure: () => onDeserializationFailure }),
    },
    stores: [store],
    key,
    value,
  })
  return new Flow("global table", node) as unknown as GlobalTable<K2, V2>
}
