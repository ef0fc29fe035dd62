import { Bench } from "./bench.ts"
import { globalTableSuite } from "./global-table-suite.ts"

globalTableSuite(() => Bench.start())
