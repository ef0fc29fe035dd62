/** The mechanism of a user's credentials, as an option of commands. */
import type { ScramUpsertion } from "@millrace/client"
import { UsageError } from "./command.ts"

const MECHANISMS: readonly ScramUpsertion["mechanism"][] = ["SCRAM-SHA-256", "SCRAM-SHA-512"]

/** What brokers take, Kafka's own among them, of either mechanism. */
export const ITERATIONS_MIN = 4096
export const ITERATIONS_MAX = 16_384

export function scramMechanism(text: string): ScramUpsertion["mechanism"] {
  const mechanism = MECHANISMS.find((name) => name === text.toUpperCase())
  if (mechanism === undefined) throw new UsageError(`--mechanism ${text}: expected ${MECHANISMS.join(" or ")}`)
  return mechanism
}
