/**
 * Delegation tokens (KIP-48): what stands in for a user's credentials for a while. Who has the id and the HMAC logs in with
 * them as with a name and a password, through SCRAM with `tokenAuth`. Principals are texts, `User:alice`.
 */
import { ErrorCode } from "@millrace/protocol"
import { CreateDelegationToken } from "@millrace/protocol/messages/create-delegation-token"
import { DescribeDelegationToken } from "@millrace/protocol/messages/describe-delegation-token"
import { ExpireDelegationToken } from "@millrace/protocol/messages/expire-delegation-token"
import { RenewDelegationToken } from "@millrace/protocol/messages/renew-delegation-token"
import { principalOf, principalText } from "@millrace/protocol/principal"
import type { Cluster } from "../cluster.ts"
import { kafkaError } from "../errors.ts"
import { retrying } from "../network/retry.ts"

export interface DelegationToken {
  readonly tokenId: string
  /** The secret, as base64: the password. */
  readonly hmac: string
  readonly owner: string
  /** Who asked for it. Clusters before Kafka 3.3 do not tell. */
  readonly requester: string | undefined
  readonly renewers: readonly string[]
  readonly issueTimestamp: number
  /** When it ends unless it is renewed. */
  readonly expiryTimestamp: number
  /** When it ends for good. */
  readonly maxTimestamp: number
}

export interface DelegationTokenOptions {
  /** Another user than who asks (KIP-373). */
  readonly owner?: string
  /** Who may renew and end it, beside its owner. */
  readonly renewers?: readonly string[]
  /** Default, and at most: what the cluster allows. */
  readonly maxLifetimeMs?: number
}

const AS_LONG_AS_MAY_BE = -1

function requesterOf(answer: { tokenRequesterPrincipalType: string; tokenRequesterPrincipalName: string }) {
  const { tokenRequesterPrincipalType: principalType, tokenRequesterPrincipalName: principalName } = answer
  return principalType === "" ? undefined : principalText({ principalType, principalName })
}

/** Not tried again once the cluster may have made it: there would be two. */
export async function createDelegationToken(
  cluster: Cluster,
  { owner, renewers = [], maxLifetimeMs = AS_LONG_AS_MAY_BE }: DelegationTokenOptions = {},
): Promise<DelegationToken> {
  const of = owner === undefined ? undefined : principalOf(owner)
  const connection = await cluster.controller()
  const answer = await connection.request(CreateDelegationToken, {
    ...(of && { ownerPrincipalType: of.principalType, ownerPrincipalName: of.principalName }),
    renewers: renewers.map(principalOf),
    maxLifetimeMs,
  })
  if (answer.errorCode !== ErrorCode.NONE) throw kafkaError(answer.errorCode, "creating a delegation token")
  return {
    tokenId: answer.tokenId,
    hmac: Buffer.from(answer.hmac).toString("base64"),
    owner: principalText(answer),
    requester: requesterOf(answer),
    renewers,
    issueTimestamp: answer.issueTimestampMs,
    expiryTimestamp: answer.expiryTimestampMs,
    maxTimestamp: answer.maxTimestampMs,
  }
}

/** Answers when the token ends now. Rejects for a token that has ended already. */
export async function renewDelegationToken(
  cluster: Cluster,
  hmac: string,
  renewPeriodMs = AS_LONG_AS_MAY_BE,
): Promise<number> {
  const what = "renewing a delegation token"
  return retrying(cluster.env, { what }, async () => {
    const connection = await cluster.controller()
    const answer = await connection.request(RenewDelegationToken, { hmac: Buffer.from(hmac, "base64"), renewPeriodMs })
    if (answer.errorCode !== ErrorCode.NONE) throw kafkaError(answer.errorCode, what)
    return answer.expiryTimestampMs
  })
}

const OVER: ReadonlySet<number> = new Set([ErrorCode.DELEGATION_TOKEN_NOT_FOUND, ErrorCode.DELEGATION_TOKEN_EXPIRED])

/** Ends a token, at once unless a period is given; answers when. */
export async function expireDelegationToken(
  cluster: Cluster,
  hmac: string,
  expiryTimePeriodMs = AS_LONG_AS_MAY_BE,
): Promise<number> {
  const what = "ending a delegation token"
  return retrying(cluster.env, { what }, async (attempts) => {
    const connection = await cluster.controller()
    const request = { hmac: Buffer.from(hmac, "base64"), expiryTimePeriodMs }
    const answer = await attempts.sent(connection.request(ExpireDelegationToken, request))
    if (attempts.mayBeDone && OVER.has(answer.errorCode)) return cluster.env.clock.now()
    if (answer.errorCode !== ErrorCode.NONE) throw kafkaError(answer.errorCode, what)
    return answer.expiryTimestampMs
  })
}

/** Those of these owners that the caller may see; of all owners when none is named. */
export async function describeDelegationTokens(
  cluster: Cluster,
  owners?: readonly string[],
): Promise<DelegationToken[]> {
  const what = "describing delegation tokens"
  return retrying(cluster.env, { what }, async () => {
    const connection = await cluster.controller()
    const answer = await connection.request(DescribeDelegationToken, { owners: owners?.map(principalOf) ?? null })
    if (answer.errorCode !== ErrorCode.NONE) throw kafkaError(answer.errorCode, what)
    return answer.tokens.map((token) => ({
      tokenId: token.tokenId,
      hmac: Buffer.from(token.hmac).toString("base64"),
      owner: principalText(token),
      requester: requesterOf(token),
      renewers: token.renewers.map(principalText),
      issueTimestamp: token.issueTimestamp,
      expiryTimestamp: token.expiryTimestamp,
      maxTimestamp: token.maxTimestamp,
    }))
  })
}
