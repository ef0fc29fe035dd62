/**
 * SaslHandshake (key 17): names the SASL mechanism; the reply lists those that the broker offers.
 *
 * v0 is followed by raw SASL packets, v1 by SaslAuthenticate requests (KIP-152). Clients up to 2.4 negotiate this key
 * wrongly, so it never becomes flexible (KAFKA-9577).
 *
 * Errors: UNSUPPORTED_SASL_MECHANISM, ILLEGAL_SASL_STATE.
 */
import { int16, string, strings } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const SaslHandshake = api(
  "SaslHandshake",
  {
    mechanism: string("0+"),
  },
  {
    errorCode: int16("0+"),
    mechanisms: strings("0+"),
  },
)

export type SaslHandshakeRequest = Decoded<typeof SaslHandshake.request>
export type SaslHandshakeResponse = Decoded<typeof SaslHandshake.response>
