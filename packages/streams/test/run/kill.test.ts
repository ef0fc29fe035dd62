import { Bench } from "./bench.ts"
import { killSuite } from "./kill-suite.ts"

killSuite(() => Bench.start())
