import { Bench } from "./bench.ts"
import { rollingSuite } from "./rolling-suite.ts"

rollingSuite(() => Bench.start())
