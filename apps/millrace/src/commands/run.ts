import * as path from "node:path"
import { parse } from "@millrace/config"
import { formatAddress } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import { RegistryClient } from "@millrace/schema"
import { run, type RunHandle } from "@millrace/streams"
import { command, UsageError } from "../command.ts"
import { loadPipelines } from "../modules.ts"
import { runConfig } from "../parts/run-config.ts"
import { type Part, settings, stopSignal } from "../serve.ts"
import { Progress } from "../terminal.ts"

const PROGRESS_MS = 1_000
const PLAIN_PROGRESS_MS = 10_000
/** Partitions of source topics that an embedded broker creates. */
const EMBEDDED_PARTITIONS = 4

export default command({
  name: "run",
  summary: "Runs the pipelines that a module exports, exactly once: on a cluster, or on a broker inside this process.",
  positionals: "FILE.ts",
  positionalsMin: 1,
  positionalsMax: 1,
  options: {
    brokers: { value: "HOST:PORT[,…]", help: "the cluster; without it a broker runs inside this process" },
    data: { value: "DIR", help: "where the broker inside this process keeps its log", default: "./data" },
    kafka: { value: "HOST:PORT", help: "where the broker inside this process listens", default: "127.0.0.1:9092" },
    state: { value: "DIR", help: "where tables and the process's identity live", default: "./state" },
    set: {
      value: "key=value",
      help: "a setting by Kafka Streams' name, such as processing.guarantee=at_least_once",
      multiple: true,
    },
  },
  run: async ({ options, positionals }) => {
    const config = parse(runConfig, settings(options.set))
    const pipelines = await loadPipelines(positionals[0]!)
    if (pipelines.length > 1 && config["application.id"] !== null) {
      throw new UsageError(`application.id names one pipeline, and ${positionals[0]} exports ${pipelines.length}`)
    }
    const stopped = stopSignal()
    const parts: Part[] = []
    const handles: RunHandle[] = []
    try {
      let brokers = options.brokers
      let registryUrl = config["schema.registry.url"]
      if (brokers === undefined) {
        const embedded = await startEmbedded(parts, options.data, options.kafka, registryUrl === null)
        brokers = embedded.brokers
        registryUrl ??= embedded.registryUrl
      }
      for (const pipeline of pipelines) {
        handles.push(
          await run(pipeline, {
            host: nodeHost,
            brokers: brokers.split(","),
            stateDir: path.resolve(options.state),
            processingGuarantee: config["processing.guarantee"] === "at_least_once" ? "at-least-once" : "exactly-once",
            commitIntervalMs: config["commit.interval.ms"],
            transactionTimeoutMs: config["transaction.timeout.ms"],
            sessionTimeoutMs: config["session.timeout.ms"],
            startAt: config["auto.offset.reset"],
            ...(config["application.id"] === null ? {} : { applicationId: config["application.id"] }),
            ...(registryUrl === null ? {} : { registry: new RegistryClient({ url: registryUrl }) }),
            ...(options.brokers === undefined ? { createTopics: { partitions: EMBEDDED_PARTITIONS } } : {}),
            log: (message) => console.error(message),
          }),
        )
      }
      const where = parts.map((part) => `${part.label}=${part.at}`).join(" ") || `kafka=${brokers}`
      console.log(
        `ready ${where} pipelines=${handles.map((handle) => handle.applicationId).join(",")} ms=${Math.round(performance.now())}`,
      )
      const progress = showProgress(handles)
      await Promise.race([stopped, ...handles.map((handle) => handle.done)])
      progress.end()
      return 0
    } finally {
      for (const handle of handles)
        await handle.close().catch((error: unknown) => console.error(`millrace: ${String(error)}`))
      for (const part of parts.toReversed()) await part.close()
    }
  },
})

/** A broker, and a registry unless one is named, inside this process: over the same protocol as any other. */
async function startEmbedded(
  parts: Part[],
  dataDir: string,
  kafka: string,
  withRegistry: boolean,
): Promise<{ brokers: string; registryUrl: string | null }> {
  const [{ startBroker }, { startRegistryServer }, { addressOption }] = await Promise.all([
    import("../parts/broker.ts"),
    import("../parts/registry.ts"),
    import("../serve.ts"),
  ])
  const broker = await startBroker({ dataDir, listen: addressOption("kafka", kafka), config: {} })
  parts.push(broker)
  const brokers = formatAddress(broker.address)
  if (!withRegistry) return { brokers, registryUrl: null }
  const registry = await startRegistryServer({ brokers, listen: { host: "127.0.0.1", port: 0 }, config: {} })
  parts.push(registry)
  return { brokers, registryUrl: registry.at }
}

/** One line for all pipelines: records a second, tasks, transactions. */
function showProgress(handles: readonly RunHandle[]): { end(): void } {
  const progress = new Progress(PLAIN_PROGRESS_MS)
  let before = 0
  const timer = setInterval(() => {
    const metrics = handles.map((handle) => handle.metrics())
    const sum = (of: (one: (typeof metrics)[number]) => number) => metrics.reduce((total, one) => total + of(one), 0)
    const processed = sum((one) => one.processed)
    const restoring = sum((one) => one.restoringTasks)
    progress.show(
      `${handles[0]!.state()}: ${processed} records, ${processed - before}/s, ${sum((one) => one.tasks)} tasks` +
        `${restoring > 0 ? ` (${restoring} restoring)` : ""}, ${sum((one) => one.transactions.committed)} commits, ${sum((one) => one.transactions.aborted)} aborts`,
    )
    before = processed
  }, PROGRESS_MS)
  return {
    end: () => {
      clearInterval(timer)
      progress.end()
    },
  }
}
