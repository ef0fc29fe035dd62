/**
 * Stale reads on the brokers that MILLRACE_TEST_BROKERS names.
 */
import { staleSuite } from "../test/query/stale-suite.ts"
import { Bench } from "../test/run/bench.ts"

staleSuite(() => Bench.given())
