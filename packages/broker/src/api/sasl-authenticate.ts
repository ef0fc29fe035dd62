/**
 * SaslAuthenticate (key 36), v0-2: one message of the mechanism, answered with the next one (KIP-152). v1 says how long the
 * authentication is good for (KIP-368).
 *
 * Errors: SASL_AUTHENTICATION_FAILED and ILLEGAL_SASL_STATE, held back for a while (KIP-306), after which the connection ends.
 */
import { ErrorCode } from "@millrace/protocol"
import { SaslAuthenticate } from "@millrace/protocol/messages/sasl-authenticate"
import { AuthenticationFailed } from "../security/sasl.ts"
import { handler } from "./handler.ts"
import { failAuthentication } from "./sasl-failure.ts"

const OUT_OF_TURN = "SaslAuthenticate request received without a SaslHandshake"
const NOTHING = new Uint8Array(0)

export const saslAuthenticate = handler(SaslAuthenticate, {
  permissions: [],
  handle({ authBytes }, context, services, reply) {
    const { authentication } = context.connection
    const { clock, onDefect } = services
    const refuse = (errorCode: ErrorCode, errorMessage: string) =>
      failAuthentication(context, services, errorMessage, () => reply({ errorCode, errorMessage, authBytes: NOTHING }))
    const outOfTurn = () => refuse(ErrorCode.ILLEGAL_SASL_STATE, OUT_OF_TURN)
    // On a listener without SASL it says so and goes on.
    if (authentication === undefined) {
      reply({ errorCode: ErrorCode.ILLEGAL_SASL_STATE, errorMessage: OUT_OF_TURN, authBytes: NOTHING })
      return
    }
    authentication
      .step(authBytes, () => clock.now())
      .then(
        (step) => {
          if (step === undefined) return outOfTurn()
          const { answer, lifetimeMs } = step
          reply({ errorCode: ErrorCode.NONE, errorMessage: null, authBytes: answer, sessionLifetimeMs: lifetimeMs })
        },
        (cause: unknown) => {
          const failed = cause instanceof AuthenticationFailed
          if (!failed) onDefect(cause)
          const message = failed ? cause.message : "Authentication failed"
          refuse(ErrorCode.SASL_AUTHENTICATION_FAILED, message)
        },
      )
  },
})
