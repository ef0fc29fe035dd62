/**
 * Starting an application over, on the brokers that MILLRACE_TEST_BROKERS names.
 */
import { resetSuite } from "../test/reset/reset-suite.ts"
import { Bench } from "../test/run/bench.ts"

resetSuite(() => Bench.given())
