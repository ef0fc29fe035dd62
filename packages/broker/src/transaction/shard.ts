/**
 * The transactional ids of one partition of `__transaction_state`: routes requests, timers and records.
 *
 * All its state is durable. What is under way, open transactions with their timeouts and decisions whose markers are not
 * all written, follows from it and is taken up again after a load.
 */
import { type CoordinatorShard, type Decision, Outcome, type RawRecord } from "../coordinator/shard.ts"
import { UndoLog } from "../coordinator/undo.ts"
import { addPartitions, verifyPartitions } from "./add-partitions.ts"
import { describeTransactions, listTransactions } from "./describe.ts"
import { endTxn } from "./end-txn.ts"
import { armCleanup, expireTransaction } from "./expiry.ts"
import { initProducerId } from "./init-producer-id.ts"
import { markersWritten } from "./markers-written.ts"
import { type TransactionRecord, decodeTransactionRecord, encodeTransactionRecord } from "./records.ts"
import type { MarkersSend, TransactionOutcome, TransactionRequest, TransactionTimeout } from "./requests.ts"
import {
  type ProducerIdSource,
  type TransactionCoordinatorConfig,
  TransactionShardState,
  armTimeout,
  sendMarkers,
} from "./shard-state.ts"
import { isPrepared } from "./state.ts"

type Shard = CoordinatorShard<TransactionRequest, TransactionRecord, TransactionTimeout, MarkersSend>

export class TransactionShard implements Shard {
  readonly undo = new UndoLog()
  readonly state: TransactionShardState

  constructor(config: TransactionCoordinatorConfig, transactionVersion: () => number, producerIds: ProducerIdSource) {
    this.state = new TransactionShardState(this.undo, config, transactionVersion, producerIds)
  }

  handle(request: TransactionRequest, now: number): Decision<TransactionRecord, TransactionTimeout, MarkersSend> {
    const out: TransactionOutcome = new Outcome()
    const { state } = this
    switch (request.kind) {
      case "init-producer-id":
        initProducerId(state, request, now, out)
        break
      case "add-partitions":
        addPartitions(state, request, now, out)
        break
      case "verify-partitions":
        verifyPartitions(state, request, out)
        break
      case "end-txn":
        endTxn(state, request, now, out)
        break
      case "markers-written":
        markersWritten(state, request, now, out)
        break
      case "describe":
        describeTransactions(state, request, out)
        break
      case "list":
        listTransactions(state, request, now, out)
        break
    }
    return out
  }

  expire(due: TransactionTimeout, now: number): Decision<TransactionRecord, TransactionTimeout, MarkersSend> {
    const out: TransactionOutcome = new Outcome()
    expireTransaction(this.state, due, now, out)
    return out
  }

  replay({ transactionalId, value }: TransactionRecord): void {
    if (value === null) this.state.transactions.delete(transactionalId)
    else this.state.transactions.set(transactionalId, value)
  }

  /** Nobody writes to `__transaction_state` inside a transaction. */
  replayMarker(): void {}

  load(now: number): Decision<TransactionRecord, TransactionTimeout, MarkersSend> {
    const out: TransactionOutcome = new Outcome()
    for (const metadata of this.state.transactions.values()) {
      if (metadata.state === "Ongoing") armTimeout(metadata, now, out)
      if (isPrepared(metadata.state)) sendMarkers(metadata, out)
    }
    armCleanup(this.state, out)
    return out
  }

  encode(record: TransactionRecord): RawRecord {
    return encodeTransactionRecord(record)
  }

  decode(record: RawRecord): TransactionRecord | undefined {
    return decodeTransactionRecord(record)
  }
}
