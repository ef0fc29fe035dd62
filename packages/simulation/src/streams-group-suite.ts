/**
 * Suite "streams-group": the suite "streams" with members of a streams group (KIP-1071), whose tasks the broker assigns.
 */
import { StreamsRun } from "./streams-run.ts"
import type { Suite } from "./suite.ts"

export const suite: Suite = (seed, options) => new StreamsRun(seed, { ...options, groupProtocol: "streams" }).run()
