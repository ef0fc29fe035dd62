/**
 * RenewDelegationToken (key 39): prolongs a delegation token, up to its maximum lifetime (KIP-48).
 *
 * v1 the oldest since Kafka 4.0 · v2 flexible.
 *
 * Errors: DELEGATION_TOKEN_AUTH_DISABLED, DELEGATION_TOKEN_NOT_FOUND, DELEGATION_TOKEN_OWNER_MISMATCH,
 * DELEGATION_TOKEN_EXPIRED, DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, NOT_CONTROLLER.
 */
import { bytes, int16, int32, int64 } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const RenewDelegationToken = api(
  "RenewDelegationToken",
  {
    hmac: bytes("0+"),
    renewPeriodMs: int64("0+"),
  },
  {
    errorCode: int16("0+"),
    expiryTimestampMs: int64("0+"),
    throttleTimeMs: int32("0+"),
  },
)

export type RenewDelegationTokenRequest = Decoded<typeof RenewDelegationToken.request>
export type RenewDelegationTokenResponse = Decoded<typeof RenewDelegationToken.response>
