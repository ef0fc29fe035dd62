/**
 * SaslHandshake (key 17), v0-1: names the mechanism that the client authenticates with (KIP-43). After v0 the mechanism's
 * messages come without headers, after v1 in SaslAuthenticate (KIP-152); on a connection that is authenticated it begins
 * another authentication (KIP-368).
 *
 * Errors: UNSUPPORTED_SASL_MECHANISM and ILLEGAL_SASL_STATE, held back for a while (KIP-306), after which the connection ends.
 */
import { ErrorCode } from "@millrace/protocol"
import { SaslHandshake } from "@millrace/protocol/messages/sasl-handshake"
import { handler } from "./handler.ts"
import { failAuthentication } from "./sasl-failure.ts"

export const saslHandshake = handler(SaslHandshake, {
  permissions: [],
  handle({ mechanism }, context, services, reply) {
    const { authentication } = context.connection
    if (authentication === undefined) return reply({ errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] })
    const mechanisms = [...authentication.mechanisms]
    const refusal = authentication.handshake(mechanism, context.apiVersion === 0)
    if (refusal === undefined) return reply({ errorCode: ErrorCode.NONE, mechanisms })
    const isIllegal = refusal === "illegal state"
    const errorCode = isIllegal ? ErrorCode.ILLEGAL_SASL_STATE : ErrorCode.UNSUPPORTED_SASL_MECHANISM
    failAuthentication(context, services, `SASL mechanism ${JSON.stringify(mechanism.slice(0, 100))}: ${refusal}`, () =>
      reply({ errorCode, mechanisms }),
    )
  },
})
