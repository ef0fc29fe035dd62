/**
 * EndTxn (key 26), v0-5: commits or aborts. v5 bumps the epoch with every transaction and answers it (KIP-890). Errors: see
 * the transaction coordinator; TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { EndTxn } from "@millrace/protocol/messages/end-txn"
import { handler, replyLater } from "./handler.ts"

export const endTxn = handler(EndTxn, {
  permissions: [{ operation: "WRITE", resource: "TRANSACTIONAL_ID" }],
  handle(request, context, services, reply) {
    if (context.may("WRITE", "TRANSACTIONAL_ID", request.transactionalId)) {
      replyLater(services, services.transactions.endTxn({ apiVersion: context.apiVersion }, request), reply)
    } else {
      reply({ errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED })
    }
  },
})
