/** What goes into an append and what comes out of it. */
import type { AppendFailure, AppendOrigin } from "./append.ts"

export interface AppendOptions {
  readonly origin: AppendOrigin
  readonly leaderEpoch: number
  readonly now: number
  /** The broker verifies transactions (KIP-890): a producer that the log does not know must start at sequence 0. */
  readonly requiresVerification?: boolean
  /** Of a coordinator's marker; from 2 on the marker's epoch must be newer than the transaction's. */
  readonly transactionVersion?: number
}

export interface Appended {
  readonly ok: true
  readonly baseOffset: number
  readonly lastOffset: number
  /** -1 unless the topic stamps records with the append time; of a duplicate, as in Kafka, its greatest time. */
  readonly logAppendTime: number
  readonly logStartOffset: number
  /** The batch was appended before; the offsets are those of then. */
  readonly duplicate: boolean
  /** flush.messages is reached: await `flushLater()` before answering. */
  readonly flushDue: boolean
}

export interface AppendRefused extends AppendFailure {
  readonly logStartOffset: number
}

export type AppendResult = Appended | AppendRefused
