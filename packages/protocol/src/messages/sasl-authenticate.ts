/**
 * SaslAuthenticate (key 36): one step of a SASL exchange, after SaslHandshake v1 (KIP-152).
 *
 * v1 session lifetime, after which the client must authenticate again (KIP-368) · v2 flexible.
 *
 * Errors: SASL_AUTHENTICATION_FAILED, ILLEGAL_SASL_STATE, UNSUPPORTED_SASL_MECHANISM.
 */
import { bytes, int16, int64, string } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const SaslAuthenticate = api(
  "SaslAuthenticate",
  {
    authBytes: bytes("0+"),
  },
  {
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
    authBytes: bytes("0+"),
    sessionLifetimeMs: int64("1+", { default: 0, ignorable: true }),
  },
)

export type SaslAuthenticateRequest = Decoded<typeof SaslAuthenticate.request>
export type SaslAuthenticateResponse = Decoded<typeof SaslAuthenticate.response>
