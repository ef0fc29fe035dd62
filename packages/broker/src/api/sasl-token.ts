/**
 * A message of a SASL mechanism as it is, a frame without headers: what follows a SaslHandshake of version 0. It is answered
 * alike; after a failure the connection ends without a word, since there is no code to say it with.
 */
import type { ServerRequest } from "../network/server.ts"
import type { Authentication } from "../security/authentication.ts"
import { AuthenticationFailed } from "../security/sasl.ts"
import { failAuthentication } from "./sasl-failure.ts"
import type { Services } from "./handler.ts"

const LENGTH_BYTES = 4

export function answerToken(authentication: Authentication, request: ServerRequest, services: Services): void {
  const { clock, onDefect } = services
  authentication
    .step(request.frame, () => clock.now())
    .then(
      (step) => {
        const length = new Uint8Array(LENGTH_BYTES)
        const answer = step?.answer ?? new Uint8Array(0)
        new DataView(length.buffer).setInt32(0, answer.length)
        request.answer([length, answer], 0)
      },
      (cause: unknown) => {
        const failed = cause instanceof AuthenticationFailed
        if (!failed) onDefect(cause)
        const reason = failed ? cause.message : "internal error"
        failAuthentication(request, services, reason, () => request.fail())
      },
    )
}
