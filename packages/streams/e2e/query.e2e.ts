/**
 * Interactive queries on the brokers that MILLRACE_TEST_BROKERS names.
 */
import { querySuite } from "../test/query/query-suite.ts"
import { Bench } from "../test/run/bench.ts"

querySuite(() => Bench.given())
