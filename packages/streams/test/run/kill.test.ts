import { Bench } from "./bench.ts"
import { killJoinSuite, killSuite } from "./kill-suite.ts"

killSuite(() => Bench.start())
killJoinSuite(() => Bench.start())
