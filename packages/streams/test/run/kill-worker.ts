/**
 * A worker process for kill-suite.ts and rolling-suite.ts, until it is killed: counts words; or, with a second topic in,
 * takes values "NAME NUMBER" and sums the numbers by the value that NAME has there. Arguments: brokers, state directory,
 * topics in and out, application id, further options as JSON, the second topic. Prints "running", then a line
 * "TASKS COPIES" whenever these change.
 */
import { isMainThread } from "node:worker_threads"
import { nodeHost } from "@millrace/host/node"
import { json, string } from "@millrace/schema"
import * as S from "../../src/index.ts"

const [brokers = "", stateDir = "", from = "kill-in", to = "kill-out", name = "kill-app", more = "{}", named] =
  process.argv.slice(2)
const In = S.topic(from, { key: string, value: string })
const Out = S.topic(to, { key: string, value: json<number>() })

const counts = () =>
  S.stream(In).pipe(
    S.keyBy((word) => word),
    S.count("words"),
  )

const sums = (names: string) => {
  const number = (row: string) => Number(row.split(" ")[1])
  return S.table(In).pipe(
    S.joinForeignKey(
      "labelled",
      S.table(S.topic(names, { key: string, value: string })),
      (row) => row.split(" ")[0],
      (row, label) => `${label} ${number(row)}`,
    ),
    S.keyBy((row) => row.split(" ")[0]!),
    S.aggregate("sums", {
      init: () => 0,
      add: (sum, row) => sum + number(row),
      subtract: (sum, row) => sum - number(row),
    }),
  )
}

export const pipeline = S.pipeline(name, () =>
  (named === undefined ? counts() : sums(named)).pipe(S.toStream(), S.to(Out)),
)

if (isMainThread) {
  const options = {
    host: nodeHost,
    brokers,
    stateDir,
    heartbeatIntervalMs: 100,
    // Written out often, so that a kill finds engines in the middle of it.
    flushLimits: { memtableBytesMax: 4_096, memtableAgeMs: 20 },
    ...JSON.parse(more),
    log: (message: string) => process.stderr.write(`${message}\n`),
  }
  const running: S.Running = await ("workers" in options
    ? S.run(pipeline, { ...options, module: import.meta.url })
    : S.run(pipeline, options))
  process.stdout.write("running\n")
  let told = ""
  setInterval(() => {
    const { tasks, standbyTasks } = running.metrics()
    const now = `${tasks} ${standbyTasks}\n`
    if (now !== told) process.stdout.write(now)
    told = now
  }, 20).unref()
  process.on("SIGTERM", () => void running.close())
  await running.done
}
