/**
 * Admin calls about transactions (KIP-664).
 */
import { ErrorCode } from "@millrace/protocol"
import { ListTransactions } from "@millrace/protocol/messages/list-transactions"
import type { Cluster } from "../cluster.ts"
import { kafkaError } from "../errors.ts"
import { retrying } from "../network/retry.ts"

export type TransactionState =
  | "Empty"
  | "Ongoing"
  | "PrepareCommit"
  | "PrepareAbort"
  | "CompleteCommit"
  | "CompleteAbort"
  | "Dead"
  | "PrepareEpochFence"

export interface ListedTransaction {
  readonly transactionalId: string
  readonly producerId: number
  readonly state: TransactionState
}

/** Every broker knows the transactional ids that it coordinates. Without `states` all are listed. */
export function listTransactions(
  cluster: Cluster,
  options: { readonly states?: readonly TransactionState[] } = {},
): Promise<ListedTransaction[]> {
  const what = "listing transactions"
  return retrying(cluster.env, { what }, async () => {
    await cluster.refresh()
    const answers = await Promise.all(
      [...cluster.metadata.nodes()].map(async ({ id }) => {
        const connection = await cluster.node(id)
        const answer = await connection.request(ListTransactions, {
          stateFilters: [...(options.states ?? [])],
          producerIdFilters: [],
        })
        if (answer.errorCode !== ErrorCode.NONE) throw kafkaError(answer.errorCode, what)
        return answer.transactionStates
      }),
    )
    return answers.flat().map(({ transactionalId, producerId, transactionState }) => ({
      transactionalId,
      producerId,
      state: transactionState as TransactionState,
    }))
  })
}
