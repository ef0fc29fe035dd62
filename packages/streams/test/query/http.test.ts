import { Bench } from "../run/bench.ts"
import { httpSuite } from "./http-suite.ts"

httpSuite(() => Bench.start())
