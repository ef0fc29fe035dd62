/**
 * AlterClientQuotas (key 49), v0-1: sets and removes quotas of users, client ids and addresses (KIP-546).
 *
 * Errors per entity: INVALID_REQUEST, CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { AlterClientQuotas } from "@millrace/protocol/messages/alter-client-quotas"
import { alterClientQuotas as decide } from "../controller/client-quotas.ts"
import { handler } from "./handler.ts"

export const alterClientQuotas = handler(AlterClientQuotas, {
  permissions: [{ operation: "ALTER_CONFIGS", resource: "CLUSTER" }],
  handle(request, context, { image, controller }, reply) {
    if (context.may("ALTER_CONFIGS", "CLUSTER")) return reply({ entries: controller.commit(decide(image, request)) })
    const errorCode = ErrorCode.CLUSTER_AUTHORIZATION_FAILED
    reply({ entries: request.entries.map(({ entity }) => ({ errorCode, errorMessage: null, entity })) })
  },
})
