/**
 * The suite of assignment against the brokers that MILLRACE_TEST_BROKERS names.
 */
import { assignmentSuite } from "../test/run/assignment-suite.ts"
import { Bench } from "../test/run/bench.ts"

assignmentSuite(() => Bench.given())
