import { Bench } from "../run/bench.ts"
import { versionsSuite } from "./versions-suite.ts"

versionsSuite(() => Bench.start())
