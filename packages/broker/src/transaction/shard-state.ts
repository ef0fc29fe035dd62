/** Everything one transaction shard keeps, the steps that every decision shares, and its settings. */
import type { UndoLog } from "../coordinator/undo.ts"
import { UndoMap } from "../coordinator/undo.ts"
import { type TransactionMetadata, fenced, isEpochExhausted, noProducerId, preparedWithBump } from "./metadata.ts"
import type { TransactionOutcome } from "./requests.ts"

/** The settings of transaction coordination, by the names of Kafka's broker configuration. */
export interface TransactionCoordinatorConfig {
  readonly "transaction.max.timeout.ms": number
  readonly "transactional.id.expiration.ms": number
  readonly "transaction.remove.expired.transaction.cleanup.interval.ms": number
}

/** Hands out producer ids that nobody had before; undefined while the next block is on its way. */
export interface ProducerIdSource {
  take(): number | undefined
}

/** A transaction with this timeout is never aborted by us (two-phase commit). */
const noTimeoutMs = 2_147_483_647

export class TransactionShardState {
  readonly config: TransactionCoordinatorConfig
  /** The finalized level of the feature `transaction.version` as it is now: how transactions end that no client ends. */
  readonly transactionVersion: () => number
  readonly producerIds: ProducerIdSource
  /** Durable state: only `replay` writes it. */
  readonly transactions: UndoMap<string, TransactionMetadata>

  constructor(
    undo: UndoLog,
    config: TransactionCoordinatorConfig,
    transactionVersion: () => number,
    producerIds: ProducerIdSource,
  ) {
    this.config = config
    this.transactionVersion = transactionVersion
    this.producerIds = producerIds
    this.transactions = new UndoMap(undo)
  }

  write(metadata: TransactionMetadata, out: TransactionOutcome): void {
    out.records.push({ transactionalId: metadata.transactionalId, value: metadata })
  }

  /** Writes a decision down; its markers leave once it is committed. */
  end(metadata: TransactionMetadata, out: TransactionOutcome): void {
    this.write(metadata, out)
    out.disarm(timeoutKey(metadata.transactionalId))
    sendMarkers(metadata, out)
  }

  /** Aborts an open transaction over its owner's head; false when there is no producer id to go on with. */
  fence(metadata: TransactionMetadata, now: number, out: TransactionOutcome): boolean {
    if (this.transactionVersion() < 2) {
      this.end(fenced(metadata, now), out)
      return true
    }
    const nextProducerId = this.nextProducerId(metadata)
    if (nextProducerId === undefined) return false
    this.end(preparedWithBump(metadata, false, nextProducerId, now), out)
    return true
  }

  /** -1 while epochs are left, else a fresh id, or undefined when none is at hand. */
  nextProducerId({ producerEpoch }: TransactionMetadata): number | undefined {
    return isEpochExhausted(producerEpoch) ? this.producerIds.take() : noProducerId
  }
}

export function sendMarkers(metadata: TransactionMetadata, out: TransactionOutcome): void {
  const { transactionalId, producerId, producerEpoch, partitions } = metadata
  const commit = metadata.state === "PrepareCommit"
  out.sends.push({ transactionalId, producerId, producerEpoch, commit, partitions })
}

export function armTimeout(metadata: TransactionMetadata, now: number, out: TransactionOutcome): void {
  const { transactionalId, producerId, producerEpoch, startTimestamp, timeoutMs } = metadata
  if (timeoutMs === noTimeoutMs) return
  out.arm(timeoutKey(transactionalId), Math.max(startTimestamp + timeoutMs - now, 0), {
    kind: "timeout",
    transactionalId,
    producerId,
    producerEpoch,
    startTimestamp,
  })
}

function timeoutKey(transactionalId: string): string {
  return `transaction/${transactionalId}`
}
