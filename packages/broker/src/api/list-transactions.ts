/**
 * ListTransactions (key 66), v0-2: transactional ids and their states (KIP-664). v1 by duration (KIP-994) · v2 by pattern
 * (KIP-1152). Ids that the client may not see are left out. Errors: see the transaction coordinator.
 */
import { ListTransactions } from "@millrace/protocol/messages/list-transactions"
import { handler, replyLater } from "./handler.ts"

export const listTransactions = handler(ListTransactions, {
  permissions: [{ operation: "DESCRIBE", resource: "TRANSACTIONAL_ID" }],
  handle(request, context, services, reply) {
    const answer = services.transactions
      .listTransactions({ apiVersion: context.apiVersion }, request)
      .then((response) => ({
        ...response,
        transactionStates: response.transactionStates.filter(({ transactionalId }) =>
          context.maySilently("DESCRIBE", "TRANSACTIONAL_ID", transactionalId),
        ),
      }))
    replyLater(services, answer, reply)
  },
})
