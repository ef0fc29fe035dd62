/** The log of an internal topic as its coordinator sees it, over this broker's partitions. */
import { ErrorCode } from "@millrace/protocol"
import type { MetadataImage } from "../controller/image.ts"
import type { CoordinatorAppend, CoordinatorLog } from "../coordinator/log.ts"
import { type Partition, STORAGE_FAULT } from "./partition.ts"

const EMPTY = new Uint8Array(0)

export interface CoordinatorLogOptions {
  readonly topic: string
  readonly image: MetadataImage
  readonly partition: (topic: string, index: number) => Partition | undefined
  /** max.message.bytes of the topic */
  readonly maxBatchBytes: () => number
}

export class PartitionCoordinatorLog implements CoordinatorLog {
  readonly #options: CoordinatorLogOptions

  constructor(options: CoordinatorLogOptions) {
    this.#options = options
  }

  partitionCount(): number {
    return this.#options.image.topic(this.#options.topic)?.partitions.length ?? 0
  }

  append(partition: number, batches: Uint8Array, leaderEpoch: number): CoordinatorAppend {
    const found = this.#partition(partition)
    if (!found || found.leaderEpoch !== leaderEpoch) return { ok: false, error: ErrorCode.NOT_LEADER_OR_FOLLOWER }
    const result = found.append(batches, { origin: "coordinator" }, true)
    if (!result.ok) return { ok: false, error: result.error }
    return { ok: true, baseOffset: result.baseOffset, lastOffset: result.lastOffset }
  }

  read(partition: number, fromOffset: number, maxBytes: number): Uint8Array {
    const found = this.#partition(partition)
    if (!found?.hasLog) return EMPTY
    const { log } = found
    const read = log.read(fromOffset, { maxBytes, minOneBatch: true, endOffset: log.logEndOffset })
    return read === "OFFSET_OUT_OF_RANGE" ? EMPTY : read.bytes
  }

  logStartOffset(partition: number): number {
    return this.#ask(partition, (found) => found.log.logStartOffset)
  }

  logEndOffset(partition: number): number {
    return this.#ask(partition, (found) => found.log.logEndOffset)
  }

  highWatermark(partition: number): number {
    return this.#ask(partition, (found) => found.highWatermark)
  }

  maxBatchBytes(): number {
    return this.#options.maxBatchBytes()
  }

  /** Most partitions of an internal topic never get a record: asking about one must not make its files. */
  #ask(index: number, read: (partition: Partition) => number): number {
    const found = this.#partition(index)
    if (!found?.hasLog) return 0
    const value = found.attempt(() => read(found))
    return value === STORAGE_FAULT ? 0 : value
  }

  #partition(index: number): Partition | undefined {
    return this.#options.partition(this.#options.topic, index)
  }
}
