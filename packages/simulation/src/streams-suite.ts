/**
 * Suite "streams": the real runtime of streams on two machines, against the real broker, while processes and machines of
 * either die, the network fails and members come and go.
 */
import { StreamsRun } from "./streams-run.ts"
import type { Suite } from "./suite.ts"

export const suite: Suite = (seed, options) => new StreamsRun(seed, options).run()
