import { Socket } from "node:net"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import type { ClientSecurity } from "@millrace/client"
import { parse } from "@millrace/config"
import { type Address, formatAddress } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import { RegistryClient } from "@millrace/schema"
import { type CloseOptions, type Pipeline, run, type Running, type RunOptions } from "@millrace/streams"
import { command, UsageError } from "../command.ts"
import { watchCluster } from "../cluster-watch.ts"
import { checkBrokers, commandConfigOption, reach, securityOption } from "../connection.ts"
import { firstLine, ofRecord, oneLine } from "../fault.ts"
import { loadPipelines, type PipelineModule } from "../modules.ts"
import { type DisplayMode, showRun, showStart } from "../run-display.ts"
import { readSettings } from "../parts/config-file.ts"
import { startMetrics } from "../parts/metrics.ts"
import { watchRuns } from "../parts/run-metrics.ts"
import { snapshotsTo } from "../parts/snapshots.ts"
import { serverPrinter } from "../parts/server-log.ts"
import { type RunConfig, runConfig, runOptionsOf } from "../parts/run-config.ts"
import {
  addressOption,
  closeAll,
  countOption,
  endEarly,
  listening,
  type Part,
  printReady,
  stopSignal,
  unlessStopped,
} from "../serve.ts"

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
    "command-config": commandConfigOption,
    data: { value: "DIR", help: "where the broker inside this process keeps its log", default: "./data" },
    kafka: { value: "HOST:PORT", help: "where the broker inside this process listens", default: "127.0.0.1:9092" },
    state: { value: "DIR", help: "where tables and the process's identity live", default: "./state" },
    snapshots: {
      value: "DIR",
      help: "copies state there, or to s3://BUCKET/PREFIX, now and then, for whoever takes a task over without its state",
    },
    queries: { value: "HOST:PORT", help: "answers queries of its stores, and its metrics, over HTTP here" },
    metrics: { value: "HOST:PORT", help: "serves the metrics of all its pipelines at /metrics here, for Prometheus" },
    workers: { value: "N", help: "run in N worker threads (num.stream.threads); without it, in the one there is" },
    "group-protocol": {
      value: "classic|streams",
      help: "who assigns tasks: the processes (classic), or the broker (streams: Kafka 4.2 or later); group.protocol",
    },
    watch: { help: "start again when the module's files change, going on with its state where that fits" },
    "create-topics": { value: "N", help: "create topics it reads or writes that do not exist, with N partitions" },
    "stop-at-eof": { help: "stop when standard input ends too: whoever started it is gone then" },
    json: { help: "print the figures as a line of JSON every second, after the ready line" },
    set: {
      value: "key=value",
      help: "a setting by Kafka Streams' name, such as processing.guarantee=at_least_once",
      multiple: true,
    },
  },
  run: async ({ options, positionals }) => {
    const file = positionals[0]!
    const protocol = options["group-protocol"]
    if (protocol !== undefined && protocol !== "classic" && protocol !== "streams")
      throw new UsageError(`--group-protocol ${protocol}: expected classic or streams`)
    const set = protocol === undefined ? options.set : [...options.set, `group.protocol=${protocol}`]
    const config = parse(
      runConfig,
      readSettings({ file: undefined, set }, (given) => runOptionsOf(parse(runConfig, given))),
    )
    const listen = addressOption("kafka", options.kafka)
    const metrics = options.metrics === undefined ? undefined : addressOption("metrics", options.metrics)
    const queries = options.queries === undefined ? undefined : addressOption("queries", options.queries)
    const workers =
      options.workers === undefined ? config["num.stream.threads"] : countOption("workers", options.workers, 1)
    const given = options.brokers === undefined ? undefined : checkBrokers(options.brokers)
    const { pipelines, runOptions } = await loadPipelines(file)
    if (pipelines.length > 1 && config["application.id"] !== null) {
      throw new UsageError(`application.id names one pipeline, and ${file} exports ${pipelines.length}`)
    }
    if (pipelines.length > 1 && queries !== undefined && queries.port !== 0) {
      throw new UsageError(`--queries ${options.queries}: ${file} exports ${pipelines.length} pipelines; take port 0`)
    }
    const created = options["create-topics"]
    const partitions = created === undefined ? undefined : countOption("create-topics", created, 1)
    const stopped = options["stop-at-eof"] ? Promise.race([stopSignal(), inputEnd()]) : stopSignal()
    const parts: Part[] = []
    const handles: Running[] = []
    const partOf = (handle: Running) => pipelinePart(handle, { leaveGroup: config["leave.group.on.close"] })
    try {
      const start =
        given === undefined
          ? startEmbedded(parts, options.data, listen, config, partitions ?? EMBEDDED_PARTITIONS)
          : onCluster({ ...options, brokers: given }, config, partitions)
      const target = await unlessStopped(start, stopped)
      if (target === undefined) return await endEarly(parts)
      if (options.watch) {
        const watched = await import("../watch.ts")
        return await watched.runWatched({ file, runArguments: watchedArguments(options, target), stopped })
      }
      const stateDir = path.resolve(options.state)
      for (const pipeline of pipelines) {
        const { queries, snapshots } = options
        const place = { ...target, queries, snapshots, workers, file, runOptions }
        const handle = await unlessStopped(startPipeline(pipeline, place, stateDir, config), stopped)
        if (handle === undefined) return await endEarly([...parts, ...handles.map(partOf)])
        handles.push(handle)
      }
      const names = handles.map((handle) => handle.applicationId)
      const where = parts.length === 0 ? [`kafka=${given}`] : parts.map((part) => `${part.label}=${part.at}`)
      if (metrics !== undefined) {
        const part = await listening("metrics", () => startMetrics(metrics, watchRuns(handles)))
        parts.push(part)
        where.push(`metrics=${part.at}`)
      }
      const asked = handles.flatMap(({ endpoint }) => (endpoint === undefined ? [] : [`http://${endpoint}`]))
      if (asked.length > 0) where.push(`queries=${asked.join(",")}`)
      const mode = displayMode(options.json)
      const ended = Promise.race([stopped, ...handles.map((handle) => handle.done)])
      const starting = showStart(handles, mode)
      // Their tasks have come and are restored; or none came, and they stand by.
      const isReady = Promise.all(handles.map((handle) => handle.untilRunning())).then(() => true)
      if ((await Promise.race([isReady, ended]).finally(() => starting.end())) !== true) return 0
      printReady([...where, `pipelines=${names.join(",")}`])
      const progress = showRun(handles, mode)
      const watch = given === undefined ? undefined : watchCluster(given, target.security ?? {})
      try {
        await ended
      } finally {
        progress.end()
        await watch?.end()
      }
      return 0
    } catch (error) {
      throw ofRecord(error, file, path.resolve(file))
    } finally {
      await closeAll([...parts, ...handles.map(partOf)])
    }
  },
})

function inputEnd(): Promise<void> {
  // Waiting for it is no reason to go on living.
  if (process.stdin instanceof Socket) process.stdin.unref()
  return new Promise((resolve) => void process.stdin.on("end", resolve).on("close", resolve).resume())
}

const displayMode = (json: boolean): DisplayMode => (json ? "json" : process.stdout.isTTY ? "live" : "plain")

/** A failed pipeline has said why already: closing what is left of it says no more than a line. */
const pipelinePart = (handle: Running, how: CloseOptions): Part => ({
  label: "pipeline",
  at: handle.applicationId,
  close: () =>
    handle.close(how).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      if (handle.state() !== "error") console.error(`millrace: closing ${handle.applicationId}: ${oneLine(reason)}`)
    }),
})

/** Where pipelines run. */
interface Target {
  readonly brokers: string
  readonly security?: ClientSecurity
  readonly registryUrl: string | null
  readonly createTopics?: { readonly partitions: number }
}

async function onCluster(
  cluster: { readonly brokers: string; readonly "command-config": string | undefined },
  config: RunConfig,
  partitions: number | undefined,
): Promise<Target> {
  const { brokers } = cluster
  const security = await securityOption(cluster["command-config"])
  await reach(cluster)
  const createTopics = partitions === undefined ? {} : { createTopics: { partitions } }
  return { brokers, security, registryUrl: config["schema.registry.url"], ...createTopics }
}

/** What the process that is started again and again is told: where this one runs the rest. */
function watchedArguments(
  options: {
    readonly state: string
    readonly snapshots: string | undefined
    readonly "command-config": string | undefined
    readonly queries: string | undefined
    readonly workers: string | undefined
    readonly "group-protocol": string | undefined
    readonly metrics: string | undefined
    readonly json: boolean
    readonly set: readonly string[]
  },
  { brokers, registryUrl, createTopics }: Target,
): string[] {
  return [
    ...["--brokers", brokers, "--state", options.state],
    ...options.set.flatMap((setting) => ["--set", setting]),
    ...(registryUrl === null ? [] : ["--set", `schema.registry.url=${registryUrl}`]),
    ...(createTopics === undefined ? [] : ["--create-topics", String(createTopics.partitions)]),
    ...(options.workers === undefined ? [] : ["--workers", options.workers]),
    ...(options["group-protocol"] === undefined ? [] : ["--group-protocol", options["group-protocol"]]),
    ...(options.snapshots === undefined ? [] : ["--snapshots", options.snapshots]),
    ...(options.queries === undefined ? [] : ["--queries", options.queries]),
    ...(options.metrics === undefined ? [] : ["--metrics", options.metrics]),
    ...(options["command-config"] === undefined ? [] : ["--command-config", options["command-config"]]),
    ...(options.json ? ["--json"] : []),
  ]
}

/** A broker, and a registry unless one is named, inside this process: over the same protocol as any other. */
async function startEmbedded(
  parts: Part[],
  dataDir: string,
  listen: Address,
  config: RunConfig,
  partitions: number,
): Promise<Target> {
  const [{ DEVELOPMENT_SETTINGS, startBroker }, { startRegistryServer }] = await Promise.all([
    import("../parts/broker.ts"),
    import("../parts/registry.ts"),
  ])
  const broker = await listening("kafka", () =>
    startBroker({ dataDir, listen, config: DEVELOPMENT_SETTINGS, log: serverPrinter("text").broker }),
  )
  parts.push(broker)
  const target = { brokers: formatAddress(broker.address), createTopics: { partitions } }
  const registryUrl = config["schema.registry.url"]
  if (registryUrl !== null) return { ...target, registryUrl }
  const registry = await startRegistryServer({
    brokers: target.brokers,
    listen: { host: "127.0.0.1", port: 0 },
    config: {},
  })
  parts.push(registry)
  return { ...target, registryUrl: registry.at }
}

/** A pipeline to be run, and in how many threads; null: none but this one. */
interface Start extends Target {
  readonly queries: string | undefined
  readonly snapshots: string | undefined
  readonly workers: number | null
  readonly file: string
  /** Of the module; worker threads take them by themselves. */
  readonly runOptions: PipelineModule["runOptions"]
}

function startPipeline(
  pipeline: Pipeline<never>,
  { brokers, security, registryUrl, createTopics, queries, snapshots, workers, file, runOptions }: Start,
  stateDir: string,
  config: RunConfig,
): Promise<Running> {
  const options: RunOptions = {
    host: nodeHost,
    brokers,
    ...(security && { security }),
    stateDir,
    ...runOptionsOf(config),
    ...(snapshots !== undefined && {
      snapshots: { to: snapshotsTo(snapshots, process.env), every: config["snapshot.interval.ms"] },
    }),
    ...(queries !== undefined && { queries: { listen: queries } }),
    ...(registryUrl === null ? {} : { registry: new RegistryClient({ url: registryUrl }) }),
    ...(createTopics === undefined ? {} : { createTopics }),
    log: (message) => console.error(firstLine(message)),
  }
  if (workers === null) return run(pipeline, { ...options, ...runOptions })
  return run(pipeline, { ...options, workers, module: pathToFileURL(path.resolve(file)) })
}
