/**
 * Sees a decided transaction's markers into every log, and then reports them written.
 *
 * It tries until all are there: a decision is never given up, and only a partition that no longer exists is left out. When
 * this broker stops leading the transaction's partition the next leader takes over, from the log.
 */
import type { Clock } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import type { MarkerWriter, TopicPartition } from "./coordinator.ts"
import type { MarkersSend } from "./requests.ts"

/** How long to wait before markers that could not be written are tried again. */
const retryBackoffMs = 100

export interface MarkerSenderOptions {
  readonly clock: Clock
  readonly writer: MarkerWriter
  /** Reports that all markers of a transaction are written; NONE once that is in the log. */
  report(partition: number, send: MarkersSend): Promise<ErrorCode>
}

export class MarkerSender {
  readonly #options: MarkerSenderOptions
  /** The epoch in which this broker leads a partition of `__transaction_state`. */
  readonly #epochs = new Map<number, number>()

  constructor(options: MarkerSenderOptions) {
    this.#options = options
  }

  lead(partition: number, leaderEpoch: number): void {
    this.#epochs.set(partition, leaderEpoch)
  }

  resign(partition: number): void {
    this.#epochs.delete(partition)
  }

  close(): void {
    this.#epochs.clear()
  }

  send(partition: number, send: MarkersSend): void {
    const coordinatorEpoch = this.#epochs.get(partition)
    if (coordinatorEpoch === undefined) return
    const targets = [...send.partitions].flatMap(([topic, indexes]) =>
      [...indexes].map((index) => ({ topic, partition: index })),
    )
    void this.#write(partition, coordinatorEpoch, send, targets)
  }

  async #write(
    partition: number,
    coordinatorEpoch: number,
    send: MarkersSend,
    targets: readonly TopicPartition[],
  ): Promise<void> {
    const { producerId, producerEpoch, commit } = send
    const marker = { producerId, producerEpoch, commit, coordinatorEpoch }
    const outcomes = await Promise.all(targets.map((target) => this.#options.writer.writeMarker(target, marker)))
    const left = targets.filter((_, index) => outcomes[index] === "retry")
    const again = () => {
      if (this.#epochs.get(partition) === coordinatorEpoch) void this.#write(partition, coordinatorEpoch, send, left)
    }
    if (left.length === 0 && (await this.#options.report(partition, send)) === ErrorCode.NONE) return
    this.#options.clock.setTimer(retryBackoffMs, again, { background: true })
  }
}
