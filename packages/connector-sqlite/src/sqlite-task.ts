/**
 * The task of the SQLite sink.
 *
 * Where the file has an offset for a partition, that is where reading goes on, whatever the consumer group says: the file
 * holds exactly the records below it, also when it was restored from a copy.
 */
import type {
  AssignedPartition,
  SinkRecord,
  SinkTask,
  SinkTaskContext,
  TopicPartitionOffset,
} from "@millrace/connect/sdk"
import { SinkDatabase } from "./database.ts"
import type { SqliteSinkSettings } from "./sqlite-config.ts"

export class SqliteSinkTask implements SinkTask {
  readonly #batchSize: number
  readonly #database: SinkDatabase

  constructor(settings: SqliteSinkSettings, context: SinkTaskContext) {
    this.#batchSize = settings["batch.size"]
    this.#database = new SinkDatabase(settings, context.connector, context.report)
  }

  open(partitions: readonly AssignedPartition[]): TopicPartitionOffset[] {
    return partitions.flatMap((assigned) => {
      const { topic, partition } = assigned
      const offset = this.#database.adopt(assigned)
      return offset === undefined ? [] : [{ topic, partition, offset }]
    })
  }

  put(records: readonly SinkRecord[]): void {
    for (let from = 0; from < records.length; from += this.#batchSize) {
      this.#database.write(records.slice(from, from + this.#batchSize))
    }
  }

  flush(offsets: readonly TopicPartitionOffset[]): void {
    this.#database.advance(offsets)
  }

  stop(): void {
    this.#database.close()
  }
}
