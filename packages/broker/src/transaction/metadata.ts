/**
 * What is known of one transactional id, and each step it can take. Values: a step makes a new one.
 *
 * Epochs fence. A new owner of the id gets a higher epoch, and so does an aborted transaction whose owner is not heard of,
 * so what the old owner still sends is refused everywhere. Epoch 32767 is never given to a client: it is left so that the
 * owner of 32766 can be fenced too; past it the id gets a new producer id, at epoch 0.
 *
 * `previousProducerId` remembers how the current epoch came to be: -1 when someone new took the id over, else the producer
 * id that the same client had before. From it follows the client's last epoch, which it may repeat when it missed our
 * answer. Kafka keeps that epoch in memory alone and forgets it in a failover (KAFKA-20357).
 */
import { invariant } from "@millrace/host"
import { type StoredState, nextStates } from "./state.ts"

export const noProducerId = -1
export const noProducerEpoch = -1
export const maxEpoch = 32_767

export type TransactionPartitions = ReadonlyMap<string, ReadonlySet<number>>

export interface TransactionMetadata {
  readonly transactionalId: string
  readonly producerId: number
  readonly previousProducerId: number
  /** Takes over when the transaction completes, because the epochs of this one are used up (transaction version 2). */
  readonly nextProducerId: number
  readonly producerEpoch: number
  readonly timeoutMs: number
  readonly state: StoredState
  readonly partitions: TransactionPartitions
  readonly startTimestamp: number
  readonly lastUpdateTimestamp: number
  /** How the client ends its transactions; 2 bumps the epoch each time. */
  readonly clientTransactionVersion: number
}

const noPartitions: TransactionPartitions = new Map()

/** No client may be given an epoch above this one's predecessor: the rest is for fencing. */
export function isEpochExhausted(epoch: number): boolean {
  return epoch >= maxEpoch - 1
}

/** The epoch that the same client had before its current one, or -1. */
export function lastProducerEpoch({ previousProducerId, producerId, producerEpoch }: TransactionMetadata): number {
  if (previousProducerId === noProducerId) return noProducerEpoch
  return previousProducerId === producerId ? producerEpoch - 1 : maxEpoch - 1
}

export function newTransactionalId(
  transactionalId: string,
  producerId: number,
  timeoutMs: number,
  now: number,
): TransactionMetadata {
  return {
    transactionalId,
    producerId,
    previousProducerId: noProducerId,
    nextProducerId: noProducerId,
    producerEpoch: 0,
    timeoutMs,
    state: "Empty",
    partitions: noPartitions,
    startTimestamp: -1,
    lastUpdateTimestamp: now,
    clientTransactionVersion: 0,
  }
}

/** A producer starts with the id: whatever it did before is over. */
export function initialised(
  metadata: TransactionMetadata,
  owner: Pick<TransactionMetadata, "producerId" | "producerEpoch" | "previousProducerId">,
  timeoutMs: number,
  now: number,
): TransactionMetadata {
  return step(metadata, {
    ...owner,
    timeoutMs,
    state: "Empty",
    partitions: noPartitions,
    startTimestamp: -1,
    lastUpdateTimestamp: now,
  })
}

export function withPartitions(
  metadata: TransactionMetadata,
  added: TransactionPartitions,
  clientTransactionVersion: number,
  now: number,
): TransactionMetadata {
  const partitions = new Map(metadata.partitions)
  for (const [topic, indexes] of added) partitions.set(topic, new Set([...(partitions.get(topic) ?? []), ...indexes]))
  return step(metadata, {
    state: "Ongoing",
    partitions,
    startTimestamp: metadata.state === "Ongoing" ? metadata.startTimestamp : now,
    lastUpdateTimestamp: now,
    clientTransactionVersion,
  })
}

export function containsAll(metadata: TransactionMetadata, partitions: TransactionPartitions): boolean {
  for (const [topic, indexes] of partitions) {
    const known = metadata.partitions.get(topic)
    for (const index of indexes) if (known?.has(index) !== true) return false
  }
  return true
}

/** The client ends its transaction as version 1 does it: the epoch stays. */
export function prepared(metadata: TransactionMetadata, commit: boolean, now: number): TransactionMetadata {
  return step(metadata, {
    state: commit ? "PrepareCommit" : "PrepareAbort",
    lastUpdateTimestamp: now,
    clientTransactionVersion: 0,
  })
}

/** The transaction is aborted over its owner's head: the epoch rises, and the owner's last one counts no more. */
export function fenced(metadata: TransactionMetadata, now: number): TransactionMetadata {
  return step(metadata, {
    state: "PrepareAbort",
    producerEpoch: Math.min(metadata.producerEpoch + 1, maxEpoch),
    previousProducerId: noProducerId,
    lastUpdateTimestamp: now,
    clientTransactionVersion: 0,
  })
}

/**
 * A transaction ends as version 2 does it: its markers carry a raised epoch, so that nothing of it that is still under way
 * can reach the next one (row 43). `nextProducerId` is given when the epochs are used up.
 */
export function preparedWithBump(
  metadata: TransactionMetadata,
  commit: boolean,
  nextProducerId: number,
  now: number,
): TransactionMetadata {
  return step(metadata, {
    state: commit ? "PrepareCommit" : "PrepareAbort",
    producerEpoch: Math.min(metadata.producerEpoch + 1, maxEpoch),
    previousProducerId: metadata.producerId,
    nextProducerId,
    startTimestamp: metadata.state === "Ongoing" ? metadata.startTimestamp : now,
    lastUpdateTimestamp: now,
    clientTransactionVersion: 2,
  })
}

/** All markers are written. */
export function completed(metadata: TransactionMetadata, now: number): TransactionMetadata {
  const rotates = metadata.nextProducerId !== noProducerId
  return step(metadata, {
    state: metadata.state === "PrepareCommit" ? "CompleteCommit" : "CompleteAbort",
    ...(rotates ? { producerId: metadata.nextProducerId, producerEpoch: 0 } : {}),
    nextProducerId: noProducerId,
    partitions: noPartitions,
    lastUpdateTimestamp: now,
  })
}

function step(metadata: TransactionMetadata, change: Partial<TransactionMetadata>): TransactionMetadata {
  const next = { ...metadata, ...change }
  invariant(
    nextStates[metadata.state].includes(next.state),
    `transactional id ${metadata.transactionalId}: ${metadata.state} cannot become ${next.state}`,
  )
  invariant(
    next.producerId !== metadata.producerId || next.producerEpoch >= metadata.producerEpoch,
    `transactional id ${metadata.transactionalId}: the epoch of a producer never falls`,
  )
  return next
}
