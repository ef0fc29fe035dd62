/**
 * The bytes that a record's value came in, for a store that would write the same: a row that is what its record brought is
 * not encoded again.
 *
 * Only where the store comes straight behind the topic, since callbacks may change what they are given, and where both
 * have one serde. Numbers and the like are encoded: 0 is -0 for all but their bytes.
 */
import type { StreamRecord } from "../dsl/record.ts"
import type { TaskContext } from "../task/context.ts"
import { RecordQueue } from "../task/record-queue.ts"
import type { PhysicalNode, PhysicalStore } from "../topology/topology.ts"

/** undefined: it is to be encoded. */
export type ValueAsRead = (record: StreamRecord, kept: unknown) => Uint8Array | undefined

export function valueAsRead(node: PhysicalNode, store: PhysicalStore, context: TaskContext): ValueAsRead {
  const [input, ...others] = node.inputs
  const isSource = others.length === 0 && input!.topic !== undefined && input!.inputs.length === 0
  if (!isSource || context.serde(input!.value, input!.topic!, false) !== store.value) return () => undefined
  return ({ value, origin, offset }, kept) => {
    if (kept !== value || typeof value !== "object" || !(origin instanceof RecordQueue)) return undefined
    return origin.head?.offset === offset ? (origin.head.value() ?? undefined) : undefined
  }
}
