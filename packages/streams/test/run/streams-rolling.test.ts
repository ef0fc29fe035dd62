/** Rolling restarts of members of a streams group (KIP-1071), on our broker. */
import { Bench } from "./bench.ts"
import { rollingSuite } from "./rolling-suite.ts"

rollingSuite(() => Bench.start("streams", { "group.streams.num.standby.replicas": "1" }))
