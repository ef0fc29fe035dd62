import { Bench } from "../run/bench.ts"
import { querySuite } from "./query-suite.ts"

querySuite(() => Bench.start())
