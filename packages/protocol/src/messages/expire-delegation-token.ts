/**
 * ExpireDelegationToken (key 40): shortens a delegation token's life; a negative period ends it at once (KIP-48).
 *
 * v1 the oldest since Kafka 4.0 · v2 flexible.
 *
 * Errors: DELEGATION_TOKEN_AUTH_DISABLED, DELEGATION_TOKEN_NOT_FOUND, DELEGATION_TOKEN_OWNER_MISMATCH,
 * DELEGATION_TOKEN_EXPIRED, DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, NOT_CONTROLLER.
 */
import { bytes, int16, int32, int64 } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const ExpireDelegationToken = api(
  "ExpireDelegationToken",
  {
    hmac: bytes("0+"),
    expiryTimePeriodMs: int64("0+"),
  },
  {
    errorCode: int16("0+"),
    expiryTimestampMs: int64("0+"),
    throttleTimeMs: int32("0+"),
  },
)

export type ExpireDelegationTokenRequest = Decoded<typeof ExpireDelegationToken.request>
export type ExpireDelegationTokenResponse = Decoded<typeof ExpireDelegationToken.response>
