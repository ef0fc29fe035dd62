/**
 * The process that runs one query, with the defaults and state on disk as a user would have it.
 *
 *   node bench/src/nexmark/run.ts '{"query":"q0",…}'
 */
import { nodeHost } from "@millrace/host/node"
import * as S from "@millrace/streams"
import { eventsOf } from "./events.ts"
import { QUERIES, type QueryName } from "./queries/index.ts"

export interface Job {
  readonly query: QueryName
  readonly brokers: string
  /** Also the group's id. */
  readonly application: string
  readonly input: string
  readonly output: string
  /** Where state goes. */
  readonly directory: string
}

/** The query as a pipeline. */
export const pipelineOf = ({ query, application, input, output }: Omit<Job, "brokers" | "directory">) =>
  S.pipeline(application, () =>
    QUERIES[query](eventsOf(input, query === "q12" ? { timestamp: "wall-clock" } : {}), output),
  )

if (process.argv[1] === import.meta.filename) {
  const job = JSON.parse(process.argv[2]!) as Job
  const handle = await S.run(pipelineOf(job), { host: nodeHost, brokers: job.brokers, stateDir: job.directory })
  process.once("SIGTERM", () => void handle.close().then(() => process.exit(0)))
  await handle.done
}
