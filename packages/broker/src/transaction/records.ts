/**
 * The records of `__transaction_state`, in Kafka's format, so that Kafka's own tools read the topic.
 *
 *   key    type int16 = 0 | TransactionLogKey
 *   value  version int16 | TransactionLogValue; a null value forgets the id
 */
import {
  coordinatorRecordType,
  decodeCoordinatorKey,
  decodeCoordinatorValue,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from "@millrace/protocol/records/coordinator-record"
import { TransactionLogKey, TransactionLogValue } from "@millrace/protocol/records/transaction-log"
import type { RawRecord } from "../coordinator/shard.ts"
import type { TransactionMetadata } from "./metadata.ts"
import { stateCode, stateOfCode } from "./state.ts"

export interface TransactionRecord {
  readonly transactionalId: string
  readonly value: TransactionMetadata | null
}

/** v1 has the previous and next producer id (KIP-890). */
const valueVersion = 1

export function encodeTransactionRecord({ transactionalId, value }: TransactionRecord): RawRecord {
  return {
    key: encodeCoordinatorKey(TransactionLogKey, { transactionalId }),
    value:
      value === null
        ? null
        : encodeCoordinatorValue(TransactionLogValue, valueVersion, {
            producerId: value.producerId,
            previousProducerId: value.previousProducerId,
            nextProducerId: value.nextProducerId,
            producerEpoch: value.producerEpoch,
            transactionTimeoutMs: value.timeoutMs,
            transactionStatus: stateCode(value.state),
            // Kafka's readers take a null for an id without a transaction, and only for that.
            transactionPartitions:
              value.state === "Empty"
                ? null
                : [...value.partitions].map(([topic, partitions]) => ({ topic, partitionIds: [...partitions] })),
            transactionLastUpdateTimestampMs: value.lastUpdateTimestamp,
            transactionStartTimestampMs: value.startTimestamp,
            clientTransactionVersion: value.clientTransactionVersion,
          }),
  }
}

export function decodeTransactionRecord({ key, value }: RawRecord): TransactionRecord | undefined {
  if (coordinatorRecordType(key) !== TransactionLogKey.key) return undefined
  const { transactionalId } = decodeCoordinatorKey(TransactionLogKey, key)
  if (value === null) return { transactionalId, value: null }
  const stored = decodeCoordinatorValue(TransactionLogValue, value)
  const partitions = (stored.transactionPartitions ?? []).map(
    ({ topic, partitionIds }) => [topic, new Set(partitionIds)] as const,
  )
  return {
    transactionalId,
    value: {
      transactionalId,
      producerId: stored.producerId,
      previousProducerId: stored.previousProducerId,
      nextProducerId: stored.nextProducerId,
      producerEpoch: stored.producerEpoch,
      timeoutMs: stored.transactionTimeoutMs,
      state: stateOfCode(stored.transactionStatus),
      partitions: new Map(partitions),
      startTimestamp: stored.transactionStartTimestampMs,
      lastUpdateTimestamp: stored.transactionLastUpdateTimestampMs,
      clientTransactionVersion: stored.clientTransactionVersion,
    },
  }
}
