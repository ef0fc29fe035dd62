/**
 * One SASL authentication on a connection: SaslHandshake, then SaslAuthenticate until both sides are content (KIP-152).
 */
import { ErrorCode } from "@millrace/protocol"
import { SaslAuthenticate } from "@millrace/protocol/messages/sasl-authenticate"
import { SaslHandshake } from "@millrace/protocol/messages/sasl-handshake"
import { kafkaError } from "../errors.ts"
import type { BrokerConnection } from "../network/connection.ts"
import { type SaslOptions, startExchange } from "./sasl.ts"

/** Before, raw SASL tokens follow the handshake. */
const VERSION_AUTHENTICATE = 1

/** Sends past whatever holds other requests back. */
export type Send = BrokerConnection["request"]

/** Answers for how many milliseconds it is good; 0 for as long as the connection. */
export async function authenticate(send: Send, sasl: SaslOptions, nonce: () => string, where: string): Promise<number> {
  const { mechanism } = sasl
  const offer = await send(SaslHandshake, { mechanism }, { floor: VERSION_AUTHENTICATE })
  if (offer.errorCode !== ErrorCode.NONE) {
    const offered = offer.mechanisms.length === 0 ? "none" : offer.mechanisms.join(", ")
    throw kafkaError(offer.errorCode, `SASL at ${where}`, `${mechanism} is not offered; the broker has: ${offered}`)
  }
  const exchange = await startExchange(sasl, nonce)
  let message: Uint8Array | undefined = exchange.first
  for (;;) {
    const answer: Awaited<ReturnType<typeof step>> = await step(send, message)
    if (answer.errorCode !== ErrorCode.NONE)
      throw kafkaError(answer.errorCode, `authentication at ${where}`, answer.errorMessage)
    message = exchange.respond(answer.authBytes)
    if (message === undefined) return answer.sessionLifetimeMs
  }
}

const step = (send: Send, authBytes: Uint8Array) => send(SaslAuthenticate, { authBytes })
