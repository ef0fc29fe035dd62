/**
 * DescribeDelegationToken (key 41): the tokens of given owners, or all that the caller may see (KIP-48).
 *
 * v1 the oldest since Kafka 4.0 · v2 flexible · v3 who requested the token (KIP-373).
 *
 * Errors: DELEGATION_TOKEN_AUTH_DISABLED, DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
 * DELEGATION_TOKEN_AUTHORIZATION_FAILED.
 */
import { bytes, int16, int32, int64, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DescribeDelegationToken = api(
  "DescribeDelegationToken",
  {
    owners: structs(
      "0+",
      { nullable: "0+" },
      {
        principalType: string("0+"),
        principalName: string("0+"),
      },
    ),
  },
  {
    errorCode: int16("0+"),
    tokens: structs("0+", {
      principalType: string("0+"),
      principalName: string("0+"),
      tokenRequesterPrincipalType: string("3+"),
      tokenRequesterPrincipalName: string("3+"),
      issueTimestamp: int64("0+"),
      expiryTimestamp: int64("0+"),
      maxTimestamp: int64("0+"),
      tokenId: string("0+"),
      hmac: bytes("0+"),
      renewers: structs("0+", {
        principalType: string("0+"),
        principalName: string("0+"),
      }),
    }),
    throttleTimeMs: int32("0+"),
  },
)

export type DescribeDelegationTokenRequest = Decoded<typeof DescribeDelegationToken.request>
export type DescribeDelegationTokenResponse = Decoded<typeof DescribeDelegationToken.response>
