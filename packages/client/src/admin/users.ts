/**
 * Users that authenticate with SCRAM (KIP-554). The password is salted here: the cluster never sees it.
 */
import { type Encodable, ErrorCode } from "@millrace/protocol"
import { AlterUserScramCredentials } from "@millrace/protocol/messages/alter-user-scram-credentials"
import { DescribeUserScramCredentials } from "@millrace/protocol/messages/describe-user-scram-credentials"
import { SCRAM_MECHANISMS, saltedPassword, type ScramMechanism, scramMechanismOf } from "@millrace/protocol/sasl/scram"
import type { Cluster } from "../cluster.ts"
import { kafkaError } from "../errors.ts"
import { retrying } from "../network/retry.ts"

const SALT_BYTES = 26

export interface ScramUpsertion {
  readonly user: string
  readonly mechanism: ScramMechanism
  readonly password: string
  /** Default 4096, the least there may be. */
  readonly iterations?: number
}

export interface ScramDeletion {
  readonly user: string
  readonly mechanism: ScramMechanism
}

export interface UserScramCredentials {
  readonly user: string
  readonly credentials: readonly { readonly mechanism: ScramMechanism; readonly iterations: number }[]
}

/**
 * Rejects with the first refusal. A cluster takes one change of a user in a request: several are made one after the other,
 * deletions first.
 */
export async function alterScramCredentials(
  cluster: Cluster,
  upsertions: readonly ScramUpsertion[],
  deletions: readonly ScramDeletion[],
): Promise<void> {
  const removals = deletions.map(({ user, mechanism }) => ({
    name: user,
    mechanism: SCRAM_MECHANISMS[mechanism].number,
  }))
  const credentials = upsertions.map(({ user, mechanism, password, iterations: asked }) => {
    const { number, iterationsMin } = SCRAM_MECHANISMS[mechanism]
    const iterations = asked ?? iterationsMin
    const salt = cluster.env.random.bytes(SALT_BYTES)
    const salted = saltedPassword(mechanism, password, salt, iterations)
    return { name: user, mechanism: number, iterations, salt, saltedPassword: salted }
  })
  for (const some of oncePerUser(removals)) await alter(cluster, { deletions: some, upsertions: [] })
  for (const some of oncePerUser(credentials)) await alter(cluster, { deletions: [], upsertions: some })
}

/** As few parts as there can be, none of which names a user twice. */
function oncePerUser<C extends { readonly name: string }>(changes: readonly C[]): C[][] {
  const parts: C[][] = []
  for (const change of changes) {
    const part = parts.find((one) => one.every(({ name }) => name !== change.name))
    if (part) part.push(change)
    else parts.push([change])
  }
  return parts
}

async function alter(cluster: Cluster, request: Encodable<typeof AlterUserScramCredentials.request>): Promise<void> {
  await retrying(cluster.env, { what: "altering SCRAM credentials" }, async (attempts) => {
    const connection = await cluster.controller()
    const { results } = await attempts.sent(connection.request(AlterUserScramCredentials, request))
    for (const { user, errorCode, errorMessage } of results) {
      if (attempts.mayBeDone && errorCode === ErrorCode.RESOURCE_NOT_FOUND) continue
      if (errorCode !== ErrorCode.NONE) throw kafkaError(errorCode, `the credentials of ${user}`, errorMessage)
    }
  })
}

/** Of all users that have credentials when none is named. Who has none is left out. */
export async function describeScramCredentials(
  cluster: Cluster,
  users?: readonly string[],
): Promise<UserScramCredentials[]> {
  const what = "describing SCRAM credentials"
  return retrying(cluster.env, { what }, async () => {
    const connection = await cluster.controller()
    const named = users === undefined ? null : users.map((name) => ({ name }))
    const answer = await connection.request(DescribeUserScramCredentials, { users: named })
    if (answer.errorCode !== ErrorCode.NONE) throw kafkaError(answer.errorCode, what, answer.errorMessage)
    return answer.results.flatMap(({ user, errorCode, errorMessage, credentialInfos }) => {
      if (errorCode === ErrorCode.RESOURCE_NOT_FOUND) return []
      if (errorCode !== ErrorCode.NONE) throw kafkaError(errorCode, `the credentials of ${user}`, errorMessage)
      const credentials = credentialInfos.flatMap(({ mechanism: number, iterations }) => {
        const mechanism = scramMechanismOf(number)
        return mechanism === undefined ? [] : [{ mechanism, iterations }]
      })
      return [{ user, credentials }]
    })
  })
}
