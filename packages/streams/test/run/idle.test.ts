import { Bench } from "./bench.ts"
import { idleSuite } from "./idle-suite.ts"

idleSuite(() => Bench.start())
