import { assignmentSuite } from "./assignment-suite.ts"
import { Bench } from "./bench.ts"

assignmentSuite(() => Bench.start())
