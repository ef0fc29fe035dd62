/**
 * What a connector is: one typed value. Its config table yields the type of its settings, their validation over REST,
 * the plugin's definition list and its documentation; the functions beside it do the work.
 *
 * A definition is registered by passing it to the worker, never by importing a module. A task belongs to one worker loop
 * and is called by it alone, one call at a time, `stop` last. Whatever a task throws fails it, except a `RetriableError`
 * from `put`, after which the same records are given again.
 */
import type { ConfigTable, Values } from "@millrace/config"
import type { Host } from "@millrace/host"
import type { SinkRecord, SourceOffset, SourcePartition, SourceRecord } from "./data/record.ts"
import type { AssignedPartition, TopicPartition, TopicPartitionOffset } from "./data/record.ts"
import type { Log } from "./log.ts"

/** A fault that may pass: the call is worth repeating. */
export class RetriableError extends Error {
  override readonly name = "RetriableError"
}

export interface TaskContext {
  readonly connector: string
  readonly task: number
  readonly host: Host
  readonly log: Log
  /** Aborts when the task is to stop; sleeps and requests inside a task should end with it. */
  readonly signal: AbortSignal
}

export interface SourceTaskContext extends TaskContext {
  /** The offset last committed for a source partition: what a record carried as `sourceOffset`. */
  offset(partition: SourcePartition): SourceOffset | undefined
}

export interface SinkTaskContext extends TaskContext {
  /**
   * Hands over a record that the sink cannot take, to be skipped or kept as a dead letter as `errors.*` say; throws
   * `error` when they say neither. Offsets are committed only after the dead letter is written.
   */
  readonly report: (record: SinkRecord, error: Error) => void
}

export interface SourceTask {
  /**
   * The next records, as few or as many as are at hand; an empty list when there are none now; undefined when there will
   * never be more. Waiting for data belongs in here, for at most a second or so, and ends with the context's signal.
   */
  poll(): Promise<readonly SourceRecord[] | undefined>
  /** Everything that `poll` has handed out is written and its offsets are committed. */
  commit?(): void | Promise<void>
  stop(): void | Promise<void>
}

export interface SinkTask {
  /**
   * Partitions that this task now has. A sink that keeps offsets in the outside system answers where to read on, unless
   * they are of another topic that had the name; the consumer group's offsets hold for partitions it does not name.
   */
  open?(partitions: readonly AssignedPartition[]): OffsetsAnswer
  /** Takes records in partition order. What it has taken may wait for `flush`. */
  put(records: readonly SinkRecord[]): void | Promise<void>
  /** Makes all records below `offsets` durable; answers the offsets that are safe to commit, if they are fewer. */
  flush?(offsets: readonly TopicPartitionOffset[]): OffsetsAnswer
  /** Partitions that go to another task; what was put has been flushed. */
  close?(partitions: readonly TopicPartition[]): void | Promise<void>
  stop(): void | Promise<void>
}

type OffsetsAnswer = readonly TopicPartitionOffset[] | void | Promise<readonly TopicPartitionOffset[] | void>

interface Definition<T extends ConfigTable> {
  /** The name in `connector.class`. */
  readonly className: string
  /** Other names accepted there, such as those of Kafka's or others' connectors with the same settings. */
  readonly aliases?: readonly string[]
  readonly version: string
  readonly doc: string
  readonly config: T
  /** What is wrong between settings that are right each by itself: key and message. */
  check?(config: Values<T>): readonly { readonly key: string; readonly message: string }[]
  /** How the work is split; by default one task with the connector's settings. May look at the outside system. */
  taskConfigs?(
    settings: Readonly<Record<string, string>>,
    tasksMax: number,
    host: Host,
  ): readonly Readonly<Record<string, string>>[] | Promise<readonly Readonly<Record<string, string>>[]>
}

export interface SourceConnector<T extends ConfigTable = ConfigTable> extends Definition<T> {
  readonly kind: "source"
  /** Whether offsets place every record exactly, so that a transaction makes its delivery exactly-once. */
  readonly exactlyOnce: boolean
  createTask(config: Values<T>, context: SourceTaskContext): SourceTask | Promise<SourceTask>
  /** Refuses (by throwing) an offset that a person sets over REST. */
  checkOffset?(partition: SourcePartition, offset: SourceOffset | null): void
}

export interface SinkConnector<T extends ConfigTable = ConfigTable> extends Definition<T> {
  readonly kind: "sink"
  createTask(config: Values<T>, context: SinkTaskContext): SinkTask | Promise<SinkTask>
  /** Follows offsets that a person sets over REST (null: back to the start) where the outside system keeps its own. */
  alterOffsets?(
    config: Values<T>,
    connector: string,
    offsets: readonly { readonly topic: string; readonly partition: number; readonly offset: number | null }[],
  ): void | Promise<void>
}

export type ConnectorDefinition = SourceConnector | SinkConnector

/** Keeps the type of the config table between `config` and the functions, then forgets it. */
export const defineSource = <const T extends ConfigTable>(definition: SourceConnector<T>): SourceConnector =>
  definition as unknown as SourceConnector

export const defineSink = <const T extends ConfigTable>(definition: SinkConnector<T>): SinkConnector =>
  definition as unknown as SinkConnector
