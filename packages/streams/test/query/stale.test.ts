import { Bench } from "../run/bench.ts"
import { staleSuite } from "./stale-suite.ts"

staleSuite(() => Bench.start())
