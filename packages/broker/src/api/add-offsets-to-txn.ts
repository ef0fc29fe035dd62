/**
 * AddOffsetsToTxn (key 25), v0-4: the group's partition of __consumer_offsets becomes part of a transaction. Errors: see
 * the transaction coordinator; TRANSACTIONAL_ID_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { AddOffsetsToTxn } from "@millrace/protocol/messages/add-offsets-to-txn"
import { CONSUMER_OFFSETS_TOPIC } from "../controller/topic-names.ts"
import { handler, replyLater } from "./handler.ts"

export const addOffsetsToTxn = handler(AddOffsetsToTxn, {
  permissions: [
    { operation: "WRITE", resource: "TRANSACTIONAL_ID" },
    { operation: "READ", resource: "GROUP" },
  ],
  handle(request, context, services, reply) {
    if (!context.may("WRITE", "TRANSACTIONAL_ID", request.transactionalId)) {
      reply({ errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED })
    } else if (!context.may("READ", "GROUP", request.groupId)) {
      reply({ errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED })
    } else {
      services.internalTopics.ensure(CONSUMER_OFFSETS_TOPIC)
      replyLater(services, services.transactions.addOffsetsToTxn({ apiVersion: context.apiVersion }, request), reply)
    }
  },
})
