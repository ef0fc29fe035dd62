/**
 * CreateDelegationToken (key 38): a token that stands in for its owner's credentials for a while (KIP-48).
 *
 * v1 the oldest since Kafka 4.0 · v2 flexible · v3 an owner other than the requester (KIP-373).
 *
 * Errors: DELEGATION_TOKEN_AUTH_DISABLED, DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, INVALID_PRINCIPAL_TYPE,
 * DELEGATION_TOKEN_AUTHORIZATION_FAILED, NOT_CONTROLLER.
 */
import { bytes, int16, int32, int64, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const CreateDelegationToken = api(
  "CreateDelegationToken",
  {
    ownerPrincipalType: string("3+", { nullable: "3+" }),
    ownerPrincipalName: string("3+", { nullable: "3+" }),
    renewers: structs("0+", {
      principalType: string("0+"),
      principalName: string("0+"),
    }),
    maxLifetimeMs: int64("0+"),
  },
  {
    errorCode: int16("0+"),
    principalType: string("0+"),
    principalName: string("0+"),
    tokenRequesterPrincipalType: string("3+"),
    tokenRequesterPrincipalName: string("3+"),
    issueTimestampMs: int64("0+"),
    expiryTimestampMs: int64("0+"),
    maxTimestampMs: int64("0+"),
    tokenId: string("0+"),
    hmac: bytes("0+"),
    throttleTimeMs: int32("0+"),
  },
)

export type CreateDelegationTokenRequest = Decoded<typeof CreateDelegationToken.request>
export type CreateDelegationTokenResponse = Decoded<typeof CreateDelegationToken.response>
