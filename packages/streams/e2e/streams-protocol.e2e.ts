/** The runtime's suites in a streams group (KIP-1071), on the brokers that MILLRACE_TEST_BROKERS names. */
import { describe } from "vitest"
import { resetSuite } from "../test/reset/reset-suite.ts"
import { Bench, named } from "../test/run/bench.ts"
import { killSuite } from "../test/run/kill-suite.ts"
import { rollingSuite } from "../test/run/rolling-suite.ts"
import { streamsGroupSuite } from "../test/run/streams-group-suite.ts"
import { runSuite } from "../test/run/suite.ts"

describe("a streams group", () => {
  streamsGroupSuite(() => Bench.given("streams"))
  runSuite(() => Bench.given("streams"))
  resetSuite(() => Bench.given("streams"))
  killSuite(() => Bench.given("streams"))
  rollingSuite(async () => {
    const bench = await Bench.given("streams")
    const changes = [{ name: "streams.num.standby.replicas", operation: "set" as const, value: "1" }]
    await bench.client.admin().incrementalAlterConfigs([{ type: "group", name: named("rolling-app"), changes }])
    return bench
  })
})
