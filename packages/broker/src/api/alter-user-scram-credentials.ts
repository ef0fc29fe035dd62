/**
 * AlterUserScramCredentials (key 51), v0: sets and removes users' SCRAM credentials (KIP-554). The client salts the
 * password; what is kept cannot be turned back into it.
 *
 * Errors per user: RESOURCE_NOT_FOUND, DUPLICATE_RESOURCE, UNACCEPTABLE_CREDENTIAL, UNSUPPORTED_SASL_MECHANISM,
 * CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { AlterUserScramCredentials } from "@millrace/protocol/messages/alter-user-scram-credentials"
import { alterScramCredentials } from "../controller/scram.ts"
import { handler } from "./handler.ts"

export const alterUserScramCredentials = handler(AlterUserScramCredentials, {
  permissions: [{ operation: "ALTER", resource: "CLUSTER" }],
  handle(request, context, { image, controller }, reply) {
    if (context.may("ALTER", "CLUSTER"))
      return reply({ results: controller.commit(alterScramCredentials(image, request)) })
    const users = new Set([...request.upsertions, ...request.deletions].map(({ name }) => name))
    const errorCode = ErrorCode.CLUSTER_AUTHORIZATION_FAILED
    reply({ results: [...users].map((user) => ({ user, errorCode, errorMessage: null })) })
  },
})
