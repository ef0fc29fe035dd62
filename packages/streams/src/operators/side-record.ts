/** Records as topics beside the pipeline take them: dead letters, and what came too late. */
import { isAbsent, type StreamRecord } from "../dsl/record.ts"
import type { Topic } from "../dsl/topic.ts"
import { ProcessingError, type ProcessingSite } from "../errors.ts"
import type { TaskContext } from "../task/context.ts"
import type { RawRecord } from "../task/failures.ts"
import type { PhysicalNode } from "../topology/topology.ts"

/** Encodes by a topic's serdes. A value that they do not take is a failure of the operator at this record. */
export function sideEncoder(
  context: TaskContext,
  node: PhysicalNode,
  topic: Topic<any, any>,
): (record: StreamRecord, value: unknown) => RawRecord {
  // Outside the try: a serde that must be bound first is nothing that is wrong with the record.
  const keySerde = context.serde(topic.key, topic.name, true)
  const valueSerde = context.serde(topic.value, topic.name, false)
  return (record, value) => {
    try {
      return {
        timestamp: Math.max(0, record.timestamp),
        key: isAbsent(record.key) ? null : keySerde.encode(record.key),
        value: isAbsent(value) ? null : valueSerde.encode(value),
        headers: record.headers,
      }
    } catch (cause) {
      throw new ProcessingError(siteOf(context, node, record), cause)
    }
  }
}

/** An operator at a record. */
export function siteOf(
  { pipeline }: TaskContext,
  { name }: PhysicalNode,
  { topic, partition, offset }: StreamRecord,
): ProcessingSite {
  return { pipeline, operator: name, topic, partition, offset }
}
