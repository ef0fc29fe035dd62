/** A transaction shard under test: requests with defaults, and the invariants of transactional ids. */
import { expect } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import type { EndTxnResponse } from "@millrace/protocol/messages/end-txn"
import type { InitProducerIdResponse } from "@millrace/protocol/messages/init-producer-id"
import { type TransactionMetadata, maxEpoch } from "../../src/transaction/metadata.ts"
import type { TransactionRecord } from "../../src/transaction/records.ts"
import type {
  MarkersSend,
  PartitionResults,
  TransactionRequest,
  TransactionTimeout,
} from "../../src/transaction/requests.ts"
import type { TransactionCoordinatorConfig } from "../../src/transaction/shard-state.ts"
import type { Token } from "../../src/coordinator/shard.ts"
import { TransactionShard } from "../../src/transaction/shard.ts"
import { ShardHarness } from "../coordinator/shard-harness.ts"

export const testConfig: TransactionCoordinatorConfig = {
  "transaction.max.timeout.ms": 900_000,
  "transactional.id.expiration.ms": 604_800_000,
  "transaction.remove.expired.transaction.cleanup.interval.ms": 3_600_000,
}

export const timeoutMs = 60_000

export interface Producer {
  producerId: number
  producerEpoch: number
}

export class TransactionHarness extends ShardHarness<
  TransactionRequest,
  TransactionRecord,
  TransactionTimeout,
  MarkersSend,
  TransactionShard
> {
  constructor(options: { transactionVersion?: number; firstProducerId?: number } = {}) {
    let next = options.firstProducerId ?? 1000
    super({
      create: () => new TransactionShard(testConfig, () => options.transactionVersion ?? 1, { take: () => next++ }),
      durable: (shard) => dump(shard),
      everything: (shard) => dump(shard),
      check: (shard) => {
        for (const metadata of shard.state.transactions.values()) {
          const { state, partitions, producerEpoch } = metadata
          const open = state === "Ongoing" || state === "PrepareCommit" || state === "PrepareAbort"
          expect(open || partitions.size === 0, `${state} has partitions`).toBe(true)
          expect(producerEpoch).toBeGreaterThanOrEqual(0)
          expect(producerEpoch).toBeLessThanOrEqual(maxEpoch)
        }
      },
    })
  }

  metadata(transactionalId = "tx"): TransactionMetadata {
    const metadata = this.shard.state.transactions.get(transactionalId)
    if (metadata === undefined) throw new Error(`there is no transactional id ${transactionalId}`)
    return metadata
  }

  /** Puts an id into a state that is long to reach. */
  given(change: Partial<TransactionMetadata>, transactionalId = "tx"): void {
    const value = { ...this.metadata(transactionalId), ...change }
    const record: TransactionRecord = { transactionalId, value }
    this.log.push({ kind: "record", raw: this.shard.encode(record), scope: undefined })
    this.shard.replay(record)
  }

  init(
    expected: Partial<Producer> = {},
    options: { apiVersion?: number; timeoutMs?: number; transactionalId?: string } = {},
  ): InitProducerIdResponse {
    return this.#expectAnswer(
      this.ask<InitProducerIdResponse>((token) => ({
        kind: "init-producer-id",
        token,
        context: { apiVersion: options.apiVersion ?? 5 },
        request: {
          transactionalId: options.transactionalId ?? "tx",
          transactionTimeoutMs: options.timeoutMs ?? timeoutMs,
          producerId: expected.producerId ?? -1,
          producerEpoch: expected.producerEpoch ?? -1,
          enable2Pc: false,
          keepPreparedTxn: false,
        },
      })),
    )
  }

  add(
    { producerId, producerEpoch }: Producer,
    partition = 0,
    options: { verify?: boolean; version?: number; transactionalId?: string } = {},
  ): ErrorCode {
    const results = this.#expectAnswer(
      this.ask<PartitionResults>((token) => ({
        kind: options.verify ? "verify-partitions" : "add-partitions",
        token,
        transactionalId: options.transactionalId ?? "tx",
        producerId,
        producerEpoch,
        partitions: new Map([["t", new Set([partition])]]),
        clientTransactionVersion: options.version ?? 0,
      })),
    )
    return results.error("t", partition)
  }

  end(
    { producerId, producerEpoch }: Producer,
    committed: boolean,
    apiVersion = 4,
    transactionalId = "tx",
  ): EndTxnResponse {
    return this.#expectAnswer(
      this.ask<EndTxnResponse>((token) => ({
        kind: "end-txn",
        token,
        context: { apiVersion },
        request: { transactionalId, producerId, producerEpoch, committed },
      })),
    )
  }

  commit(producer: Producer): ErrorCode {
    return this.end(producer, true).errorCode as ErrorCode
  }

  abort(producer: Producer): ErrorCode {
    return this.end(producer, false).errorCode as ErrorCode
  }

  /** All markers that were asked for are written. */
  completeMarkers(): MarkersSend[] {
    const sends = this.sends.splice(0)
    for (const { transactionalId, producerId, producerEpoch } of sends) {
      this.ask<ErrorCode>((token) => ({ kind: "markers-written", token, transactionalId, producerId, producerEpoch }))
    }
    return sends
  }

  #expectAnswer<Response>(token: Token<Response>): Response {
    const answer = this.answer<Response>(token)
    expect(answer, "every request is answered at once").toBeDefined()
    return answer as Response
  }
}

function dump({ state }: TransactionShard) {
  return [...state.transactions.values()].sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1))
}
