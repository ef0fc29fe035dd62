import { Bench } from "./bench.ts"
import { runSuite } from "./suite.ts"

runSuite(() => Bench.start())
