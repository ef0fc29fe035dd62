/**
 * Global tables on the brokers that MILLRACE_TEST_BROKERS names.
 */
import { Bench } from "../test/run/bench.ts"
import { globalTableSuite } from "../test/run/global-table-suite.ts"

globalTableSuite(() => Bench.given())
