/**
 * Rows with headers, and queries of them, on the brokers that MILLRACE_TEST_BROKERS names.
 */
import { headersSuite } from "../test/query/headers-suite.ts"
import { Bench } from "../test/run/bench.ts"

headersSuite(() => Bench.given())
