/**
 * The states of a transactional id, as Kafka names and numbers them, and what follows what.
 *
 *     Empty ──add──> Ongoing ──end──> PrepareCommit ──markers──> CompleteCommit ──add──> Ongoing …
 *                       │                                             └──init──> Empty
 *                       └──end, timeout, init──> PrepareAbort ──markers──> CompleteAbort
 *
 * A decision is made once Prepare is in the log: after any crash its markers are written again until all are there.
 * With transaction version 2 an abort is also accepted outside a transaction, for it bumps the epoch (KIP-890).
 */
export const transactionStates = [
  "Empty",
  "Ongoing",
  "PrepareCommit",
  "PrepareAbort",
  "CompleteCommit",
  "CompleteAbort",
  "Dead",
  "PrepareEpochFence",
] as const

export type TransactionState = (typeof transactionStates)[number]

/** A state that the log can hold. The two others exist in Kafka's memory alone. */
export type StoredState = Exclude<TransactionState, "Dead" | "PrepareEpochFence">

export const nextStates: Record<StoredState, readonly StoredState[]> = {
  Empty: ["Empty", "Ongoing", "PrepareAbort"],
  Ongoing: ["Ongoing", "PrepareCommit", "PrepareAbort"],
  PrepareCommit: ["CompleteCommit"],
  PrepareAbort: ["CompleteAbort"],
  CompleteCommit: ["Empty", "Ongoing", "PrepareAbort"],
  CompleteAbort: ["Empty", "Ongoing", "PrepareAbort"],
}

export function stateCode(state: StoredState): number {
  return transactionStates.indexOf(state)
}

export function stateOfCode(code: number): StoredState {
  const state = transactionStates[code]
  if (state === undefined || state === "Dead" || state === "PrepareEpochFence") {
    throw new Error(`a record of __transaction_state has status ${code}, which no transaction is stored in`)
  }
  return state
}

/** Decided, and its markers are under way. */
export function isPrepared(state: StoredState): state is "PrepareCommit" | "PrepareAbort" {
  return state === "PrepareCommit" || state === "PrepareAbort"
}
