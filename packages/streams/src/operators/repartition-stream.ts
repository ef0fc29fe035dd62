/**
 * repartition: sends a stream through a topic of its own, whether or not its key changed.
 *
 * For another number of partitions, so that what follows runs on more or fewer tasks, or for another choice of partition.
 * The planner puts the two halves in its place: operators/repartition.ts and operators/repartition-reader.ts.
 *
 * State, time and null rules: theirs. Key: kept, and from here on it counts as not changed. With a partitioner of one's
 * own, equal keys must get equal partitions where an operator that depends on the key follows.
 */
import type { Serde } from "@millrace/schema"
import { type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import { PipelineError } from "../errors.ts"
import { makeNode } from "../topology/node.ts"
import type { Operator } from "./operator.ts"

export interface RepartitionOptions<K, V> {
  /** Default: as many as the topics that it must be co-partitioned with, or as its own tasks. */
  readonly partitions?: number
  /** From 0 on, below `partitions`; undefined leaves the choice to the key's bytes. A tombstone has the value null. */
  readonly partitioner?: (key: K, value: V | null, partitions: number) => number | undefined
  readonly key?: Serde<K>
  readonly value?: Serde<V>
}

export const repartitionOperator: Operator = {
  kind: "repartition",
  make: () => {
    throw new PipelineError("a repartition is two nodes of the plan, and no processor")
  },
}

export function repartition<K, V, R>(
  name: string,
  options: RepartitionOptions<K, V> = {},
): (s: Stream<K, V, R>) => Stream<K, V, R> {
  const { partitions, partitioner, key, value } = options
  if (partitions !== undefined && (!Number.isSafeInteger(partitions) || partitions < 1)) {
    throw new PipelineError(`repartition "${name}": ${partitions} partitions must be a whole number from 1 on`)
  }
  return (s) => {
    const input = streamNode("repartition", s)
    return streamOf(
      makeNode({
        operator: repartitionOperator,
        name,
        inputs: [input],
        options: partitions === undefined ? {} : { partitions },
        functions: partitioner === undefined ? {} : { partitioner },
        key: key ?? input.key,
        value: value ?? input.value,
        keyChanged: false,
      }),
    )
  }
}
