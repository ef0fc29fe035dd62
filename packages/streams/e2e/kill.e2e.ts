/**
 * The suite of killed workers against the brokers that MILLRACE_TEST_BROKERS names.
 */
import { Bench } from "../test/run/bench.ts"
import { killJoinSuite, killSuite } from "../test/run/kill-suite.ts"

killSuite(() => Bench.given())
killJoinSuite(() => Bench.given())
