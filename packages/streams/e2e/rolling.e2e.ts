/**
 * The suite of rolling restarts against the brokers that MILLRACE_TEST_BROKERS names.
 */
import { Bench } from "../test/run/bench.ts"
import { rollingSuite } from "../test/run/rolling-suite.ts"

rollingSuite(() => Bench.given())
