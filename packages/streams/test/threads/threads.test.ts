import { Bench } from "../run/bench.ts"
import { threadsSuite } from "./threads-suite.ts"

threadsSuite(() => Bench.start())
