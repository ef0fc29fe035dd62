import { Bench } from "../run/bench.ts"
import { headersSuite } from "./headers-suite.ts"

headersSuite(() => Bench.start())
