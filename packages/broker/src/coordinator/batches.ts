/**
 * Builds the batches of one append: the records of many decisions, each decision's in one batch.
 *
 * A batch closes when the next decision would make it larger than the topic takes. All batches of a builder share one
 * transaction scope, since that is a property of a batch.
 */
import { BATCH_HEADER_BYTES } from "@millrace/protocol/record/batch"
import { RecordBatchBuilder, recordBytesMax } from "@millrace/protocol/record/builder"
import type { RawRecord, TransactionScope } from "./shard.ts"

/** Most bytes that a batch of just these records takes. */
export function batchBytesMax(records: readonly RawRecord[]): number {
  return records.reduce((size, record) => size + recordBytesMax(record.key, record.value), BATCH_HEADER_BYTES)
}

export class BatchesBuilder {
  readonly #maxBatchBytes: number
  readonly #transaction: TransactionScope | undefined
  readonly #done: Uint8Array[] = []
  #current: RecordBatchBuilder | undefined
  #recordCount = 0

  constructor(maxBatchBytes: number, transaction: TransactionScope | undefined) {
    this.#maxBatchBytes = maxBatchBytes
    this.#transaction = transaction
  }

  /** Records, and so offsets, that the append takes. */
  get recordCount(): number {
    return this.#recordCount
  }

  add(records: readonly RawRecord[], atomic: boolean, timestamp: number): void {
    if (records.length === 0) return
    let builder = this.#builderFor(batchBytesMax(atomic ? records : records.slice(0, 1)))
    for (const record of records) {
      if (!atomic) builder = this.#builderFor(batchBytesMax([record]))
      builder.append(timestamp, record.key, record.value)
      this.#recordCount++
    }
  }

  build(): Uint8Array {
    this.#close()
    const [only] = this.#done
    return this.#done.length === 1 && only !== undefined ? only : Buffer.concat(this.#done)
  }

  #builderFor(batchBytes: number): RecordBatchBuilder {
    const open = this.#current
    if (open !== undefined && open.sizeInBytes + batchBytes - BATCH_HEADER_BYTES > this.#maxBatchBytes) this.#close()
    this.#current ??= new RecordBatchBuilder(
      this.#transaction === undefined ? {} : { transactional: true, ...this.#transaction },
    )
    return this.#current
  }

  #close(): void {
    if (this.#current === undefined) return
    this.#done.push(this.#current.build())
    this.#current = undefined
  }
}
