/**
 * What the runtime needs of a cluster. Two implementations: run/kafka-*.ts over the client, and the one in memory of the
 * test driver, which runs the same tasks and the same commit.
 */
import type { CommittableOffset } from "../task/task.ts"
import type { RecordOutput } from "../task/context.ts"
import type { RecordCursor } from "../task/record-queue.ts"

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface CommittedOffset {
  readonly offset: number
  readonly metadata: string | null
}

/** One transaction after another. With at-least-once the same calls, and `abort` cannot take back what was written. */
export interface TransactionalOutput extends RecordOutput {
  /** Waits until everything appended is acknowledged; rejects when something cannot be. */
  flush(): Promise<void>
  sendOffsets(offsets: readonly CommittableOffset[]): Promise<void>
  /** Rejects with `CommitOutcomeUnknown` when it may or may not have committed. */
  commit(): Promise<void>
  abort(): Promise<void>
  /** Ends whatever the last transaction left behind, one way or the other. */
  recover(): Promise<void>
}

/** A record of a changelog; valid until the sink returns. */
export type ChangelogRecord = Pick<RecordCursor, "timestamp" | "key" | "value" | "headers">

export type RecordSink = (record: ChangelogRecord) => void

/** What tasks read besides their inputs, at start and after an unknown outcome. */
export interface ClusterReader {
  /** Waits for open transactions that hold offsets (RequireStable). Partitions without an offset are left out. */
  committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, CommittedOffset>>
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>>
  /** The log's end, open transactions included (read_uncommitted). */
  endOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>>
  topicId(topic: string): Promise<string>
  /** Hands over committed records from an offset on until the position reaches `end`; answers that position. */
  read(
    partition: TopicPartition,
    from: number,
    end: number,
    sink: RecordSink,
    /** Called between fetches with the position reached. */
    onPosition?: (position: number) => Promise<void>,
  ): Promise<number>
}

export const partitionName = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`
