/**
 * Partitions without records, on the brokers that MILLRACE_TEST_BROKERS names.
 */
import { Bench } from "../test/run/bench.ts"
import { idleSuite } from "../test/run/idle-suite.ts"

idleSuite(() => Bench.given())
