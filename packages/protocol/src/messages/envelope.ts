/**
 * Envelope (key 58): a broker forwards a client's request to the controller, with the client's principal (KIP-590).
 *
 * Errors: PRINCIPAL_DESERIALIZATION_FAILURE, UNSUPPORTED_VERSION, INVALID_REQUEST, NOT_CONTROLLER,
 * CLUSTER_AUTHORIZATION_FAILED. Those of the forwarded request travel inside.
 */
import { bytes, int16 } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const Envelope = api(
  "Envelope",
  {
    requestData: bytes("0+"),
    requestPrincipal: bytes("0+", { nullable: "0+" }),
    clientHostAddress: bytes("0+"),
  },
  {
    responseData: bytes("0+", { nullable: "0+", default: null }),
    errorCode: int16("0+"),
  },
)

export type EnvelopeRequest = Decoded<typeof Envelope.request>
export type EnvelopeResponse = Decoded<typeof Envelope.response>
