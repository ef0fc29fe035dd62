/**
 * The suite of worker threads against the brokers that MILLRACE_TEST_BROKERS names.
 */
import { Bench } from "../test/run/bench.ts"
import { threadsSuite } from "../test/threads/threads-suite.ts"

threadsSuite(() => Bench.given())
