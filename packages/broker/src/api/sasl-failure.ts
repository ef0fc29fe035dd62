/**
 * A failed authentication: told to whoever runs the broker, held back for a while so that guessing is slow (KIP-306), and then
 * answered by `answer`, after which the connection ends.
 */
import type { ConnectionIdentity } from "../network/context.ts"
import type { Services } from "./handler.ts"

export interface AuthenticationAttempt {
  readonly listener: string
  readonly connection: Pick<ConnectionIdentity, "remote" | "authentication">
  end(): void
}

export function failAuthentication(
  { listener, connection, end }: AuthenticationAttempt,
  { clock, config, refusals }: Pick<Services, "clock" | "config" | "refusals">,
  reason: string,
  answer: () => void,
): void {
  // At once: nobody tries another time while this answer is held back.
  end()
  const { remote, authentication } = connection
  refusals.authenticationFailed({ listener, remote, reason, user: authentication?.claimedUser })
  clock.setTimer(config["connection.failed.authentication.delay.ms"], answer)
}
