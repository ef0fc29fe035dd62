/**
 * What is fetched goes to the queues of tasks. A partition whose queue is full pauses until it has been worked off (T9).
 */
import type { Consumer, FetchedPartition, TopicPartition } from "@millrace/client"
import { RecordReader } from "@millrace/protocol/record/record"
import { NO_TIME } from "../state/cell.ts"
import type { RecordQueue } from "../task/record-queue.ts"
import type { ResolvedRunOptions } from "./options.ts"
import { partitionName } from "./ports.ts"
import type { TaskSet } from "./task-set.ts"

export class Intake {
  readonly #consumer: Consumer
  readonly #tasks: TaskSet
  readonly #recordsMax: number
  readonly #isExactlyOnce: boolean
  readonly #paused = new Set<string>()

  constructor(consumer: Consumer, tasks: TaskSet, run: ResolvedRunOptions) {
    this.#consumer = consumer
    this.#tasks = tasks
    this.#recordsMax = run.bufferedRecordsMax
    this.#isExactlyOnce = run.processingGuarantee === "exactly-once"
  }

  feed(fetched: readonly FetchedPartition[]): void {
    for (const part of fetched) {
      const queue = this.#queueOf(part)
      if (queue === undefined) continue
      for (const [index, batch] of part.batches.entries()) {
        const isLast = index === part.batches.length - 1
        const nextOffset = isLast ? part.nextOffset : batch.nextOffset
        queue.add(() => new RecordReader(batch), batch.recordCount, nextOffset, part.startOffset)
      }
      queue.fetched(part.nextOffset, this.#isExactlyOnce ? part.lastStableOffset : part.highWatermark)
      if (queue.bufferedRecords >= this.#recordsMax) this.#pause(part)
    }
    for (const task of this.#tasks.tasks)
      for (const queue of task.watchedQueues) queue.endSeenAt = this.#consumer.endSeenAt(queue) ?? NO_TIME
  }

  /** Partitions whose queues have room again go on. */
  resumeDrained(): void {
    if (this.#paused.size === 0) return
    for (const task of this.#tasks.tasks) {
      for (const queue of task.group.queues) {
        const isDrained = queue.bufferedRecords < this.#recordsMax
        if (isDrained && this.#paused.delete(partitionName(queue))) this.#consumer.resume([queue])
      }
    }
  }

  /** Their task has gone. */
  forget(partitions: Iterable<TopicPartition>): void {
    for (const partition of partitions) this.#paused.delete(partitionName(partition))
  }

  #queueOf({ topic, partition }: TopicPartition): RecordQueue | undefined {
    for (const task of this.#tasks.tasks) {
      const queue = task.queue(topic, partition)
      if (queue !== undefined) return queue
    }
    return undefined
  }

  #pause(partition: TopicPartition): void {
    this.#paused.add(partitionName(partition))
    this.#consumer.pause([partition])
  }
}
