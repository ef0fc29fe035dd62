/**
 * Records as connectors see them: data with schemas, not bytes.
 */
import type { ConnectSchema } from "./schema.ts"

export interface SchemaAndValue {
  readonly schema: ConnectSchema | undefined
  readonly value: unknown
}

export interface ConnectHeader extends SchemaAndValue {
  readonly key: string
}

/** Where a source record came from and where reading goes on after it: flat objects of primitives, as Kafka stores them. */
export type SourcePartition = Readonly<Record<string, string | number | boolean | null>>
export type SourceOffset = Readonly<Record<string, string | number | boolean | null>>

export interface SourceRecord {
  readonly sourcePartition: SourcePartition
  readonly sourceOffset: SourceOffset
  readonly topic: string
  /** Chosen by the producer's partitioner from the key when absent. */
  readonly partition?: number
  readonly key: unknown
  readonly keySchema: ConnectSchema | undefined
  readonly value: unknown
  readonly valueSchema: ConnectSchema | undefined
  /** Milliseconds since the epoch; the time of sending when absent. */
  readonly timestamp?: number
  readonly headers?: readonly ConnectHeader[]
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `offset` is the offset of the next record to read, as committed offsets are. */
export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: number
}

/** A partition that a sink task has got. A topic that was deleted and made anew has another id. */
export interface AssignedPartition extends TopicPartition {
  readonly topicId: string | undefined
}

export interface SinkRecord extends TopicPartition {
  readonly offset: number
  readonly timestamp: number
  readonly key: unknown
  readonly keySchema: ConnectSchema | undefined
  readonly value: unknown
  readonly valueSchema: ConnectSchema | undefined
  readonly headers: readonly ConnectHeader[]
}
