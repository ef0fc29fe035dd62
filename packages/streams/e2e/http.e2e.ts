/**
 * Queries over HTTP on the brokers that MILLRACE_TEST_BROKERS names.
 */
import { httpSuite } from "../test/query/http-suite.ts"
import { Bench } from "../test/run/bench.ts"

httpSuite(() => Bench.given())
