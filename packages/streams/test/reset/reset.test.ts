import { Bench } from "../run/bench.ts"
import { resetSuite } from "./reset-suite.ts"

resetSuite(() => Bench.start())
