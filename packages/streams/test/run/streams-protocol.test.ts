/** The runtime's suites in a streams group (KIP-1071), on our broker. */
import { describe } from "vitest"
import { resetSuite } from "../reset/reset-suite.ts"
import { Bench } from "./bench.ts"
import { killSuite, THREADS } from "./kill-suite.ts"
import { streamsGroupSuite } from "./streams-group-suite.ts"
import { runSuite } from "./suite.ts"

describe("a streams group", () => {
  streamsGroupSuite(() => Bench.start("streams"))
  runSuite(() => Bench.start("streams"))
  resetSuite(() => Bench.start("streams"))
  killSuite(() => Bench.start("streams"), [THREADS])
})
