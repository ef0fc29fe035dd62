/**
 * Interactive queries on the brokers that MILLRACE_TEST_BROKERS names.
 */
import { versionsSuite } from "../test/query/versions-suite.ts"
import { Bench } from "../test/run/bench.ts"

versionsSuite(() => Bench.given())
