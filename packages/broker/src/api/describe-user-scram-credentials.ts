/**
 * DescribeUserScramCredentials (key 50), v0: the mechanisms and iterations of users' credentials (KIP-554), of all users when
 * none is named.
 *
 * Errors: CLUSTER_AUTHORIZATION_FAILED; per user RESOURCE_NOT_FOUND, DUPLICATE_RESOURCE.
 */
import { ErrorCode } from "@millrace/protocol"
import { DescribeUserScramCredentials } from "@millrace/protocol/messages/describe-user-scram-credentials"
import { handler } from "./handler.ts"

export const describeUserScramCredentials = handler(DescribeUserScramCredentials, {
  permissions: [{ operation: "DESCRIBE", resource: "CLUSTER" }],
  handle({ users }, context, { image }, reply) {
    if (!context.may("DESCRIBE", "CLUSTER"))
      return reply({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null, results: [] })
    const asked = users === null || users.length === 0 ? [...image.scramUsers()] : users.map(({ name }) => name)
    const times = new Map<string, number>()
    for (const user of asked) times.set(user, (times.get(user) ?? 0) + 1)
    const result = (user: string) => {
      const credentialInfos = image
        .scramCredentials(user)
        .map(({ mechanism, iterations }) => ({ mechanism, iterations }))
      const failed = (errorCode: ErrorCode, errorMessage: string) => ({
        user,
        errorCode,
        errorMessage,
        credentialInfos: [],
      })
      if (times.get(user)! > 1)
        return failed(
          ErrorCode.DUPLICATE_RESOURCE,
          `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`,
        )
      if (credentialInfos.length === 0)
        return failed(
          ErrorCode.RESOURCE_NOT_FOUND,
          `Attempt to describe a user credential that does not exist: ${user}`,
        )
      return { user, errorCode: ErrorCode.NONE, errorMessage: null, credentialInfos }
    }
    reply({ errorCode: ErrorCode.NONE, errorMessage: null, results: [...times.keys()].map(result) })
  },
})
