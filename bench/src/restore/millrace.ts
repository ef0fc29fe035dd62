/**
 * The topology of suites "restore" and "rolling" in Millrace, and the process that runs it with the defaults: sums by key.
 *
 *   node bench/src/restore/millrace.ts '{"brokers":…}'
 *
 * The time told counts from when the pipeline is set up: joining the group is in it too.
 */
import { nodeHost } from "@millrace/host/node"
import { int64, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { type Job, STORE, type Told } from "./job.ts"

const {
  brokers,
  application,
  input,
  output,
  directory,
  groupProtocol = "classic",
} = JSON.parse(process.argv[2]!) as Job
const sums = S.pipeline(application, () =>
  S.stream(S.topic(input, { key: string, value: int64 })).pipe(
    S.aggregate(STORE, { init: () => 0, add: (sum, value) => sum + value, value: int64 }),
    S.toStream(),
    S.to(S.topic(output, { key: string, value: int64 })),
  ),
)
let isRestored = false
const handle = await S.run(sums, {
  host: nodeHost,
  brokers,
  stateDir: directory,
  groupProtocol,
  log: (message) => console.error(message),
  onStateChange: (state) => {
    if (state !== "running" || isRestored) return
    isRestored = true
    const told: Told = { restored: handle.metrics().restoredRecords, ms: performance.now() - started }
    console.log(JSON.stringify(told))
  },
})
const started = performance.now()
process.once("SIGTERM", () => void handle.close().then(() => process.exit(0)))
await handle.done
