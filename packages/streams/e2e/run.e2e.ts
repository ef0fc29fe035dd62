/**
 * The runtime's suite against the brokers that MILLRACE_TEST_BROKERS names.
 */
import { Bench } from "../test/run/bench.ts"
import { runSuite } from "../test/run/suite.ts"

runSuite(() => Bench.given())
