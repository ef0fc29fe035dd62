/**
 * A real Apache Kafka, one KRaft node on loopback, for suites that need the genuine article.
 *
 * Small on purpose: 512 MB of heap, internal topics with few partitions, no rebalance delay. Each one has its own
 * data directory and ports. It never outlives its process: an exit of ours kills it.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect, createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { promisify } from "node:util"
import { kafkaJars, requireJava } from "./kafka-jars.ts"

export { compileJava } from "./compile-java.ts"
export { kafkaJars, NoKafka, requireJava, toolsClasspath } from "./kafka-jars.ts"

const run = promisify(execFile)

const READY_TIMEOUT_MS = 90_000
const STOP_TIMEOUT_MS = 20_000
const PROBE_INTERVAL_MS = 100
const CLUSTER_ID = "bWlsbHJhY2UtdGVzdC0wMA"

export interface RealKafkaOptions {
  /** Entries of server.properties that go over the defaults below. */
  readonly config?: Readonly<Record<string, string>>
  /** Listeners beside the plain one: SSL, SASL_SSL or SASL_PLAINTEXT; what they need is in `config`. */
  readonly listeners?: readonly string[]
  /** Directories of further classes: a plugin's. */
  readonly classes?: readonly string[]
  readonly heapMb?: number
  /** Keep the data directory after `stop`. */
  readonly keep?: boolean
  readonly readyTimeoutMs?: number
  /** How long an orderly end may take before it is a kill. */
  readonly stopTimeoutMs?: number
}

export interface RealKafka {
  /** `127.0.0.1:PORT`: what a client calls bootstrap servers. */
  readonly brokers: string
  /** The same for each further listener, by name. */
  readonly listeners: Readonly<Record<string, string>>
  readonly port: number
  readonly dataDir: string
  /** What the broker logged: the place to look when a suite fails. */
  readonly logFile: string
  readonly pid: number
  /** An orderly end; the data directory goes too. */
  stop(): Promise<void>
  /** An orderly end; the data stays, `restart` finds it. */
  end(): Promise<void>
  /** SIGKILL; the data stays, `restart` finds it. */
  kill(): Promise<void>
  /** Starts it again on the same ports and data. */
  restart(): Promise<void>
}

/** Resolves when the broker answers requests. Throws `NoKafka` where it cannot run at all. */
export async function startRealKafka(options: RealKafkaOptions = {}): Promise<RealKafka> {
  await requireJava()
  const classpath = [...(options.classes ?? []), join(await kafkaJars("broker"), "*")].join(delimiter)
  const dataDir = mkdtempSync(join(tmpdir(), "millrace-kafka-"))
  const names = options.listeners ?? []
  const [port, controllerPort, ...ports] = await freePorts(2 + names.length)
  const listeners = Object.fromEntries(names.map((name, index) => [name, `127.0.0.1:${ports[index]}`]))
  const properties = join(dataDir, "server.properties")
  const logFile = join(dataDir, "server.log")
  writeFileSync(properties, serverProperties(dataDir, port!, controllerPort!, listeners, options.config ?? {}))
  writeFileSync(join(dataDir, "log4j2.properties"), logging(logFile))
  const jvm = [
    `-Xmx${options.heapMb ?? 512}m`,
    // As its own start script has them.
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    `-Dlog4j2.configurationFile=${join(dataDir, "log4j2.properties")}`,
    "-cp",
    classpath,
  ]
  const format = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", properties]
  await run("java", ["-Xmx256m", "-XX:TieredStopAtLevel=1", ...jvm.slice(2), ...format])

  let child: ChildProcess
  const killAtExit = () => child.kill("SIGKILL")
  const launch = async () => {
    const output = openSync(join(dataDir, "console.log"), "a")
    child = spawn("java", [...jvm, "kafka.Kafka", properties], { stdio: ["ignore", output, output] })
    closeSync(output)
    await ready(child, port!, dataDir, options.readyTimeoutMs ?? READY_TIMEOUT_MS)
  }
  const exited = (signal: NodeJS.Signals) =>
    new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve()
      const timer = setTimeout(() => child.kill("SIGKILL"), options.stopTimeoutMs ?? STOP_TIMEOUT_MS)
      child.once("exit", () => {
        clearTimeout(timer)
        resolve()
      })
      child.kill(signal)
    })
  process.on("exit", killAtExit)
  const remove = () => {
    if (!options.keep) rmSync(dataDir, { recursive: true, force: true })
  }
  try {
    await launch()
  } catch (error) {
    process.off("exit", killAtExit)
    await exited("SIGKILL")
    throw error
  }
  return {
    brokers: `127.0.0.1:${port}`,
    listeners,
    port: port!,
    dataDir,
    logFile,
    get pid() {
      return child.pid!
    },
    async stop() {
      await exited("SIGTERM")
      process.off("exit", killAtExit)
      remove()
    },
    end: () => exited("SIGTERM"),
    kill: () => exited("SIGKILL"),
    restart: launch,
  }
}

function serverProperties(
  dir: string,
  port: number,
  controllerPort: number,
  listeners: Readonly<Record<string, string>>,
  config: Record<string, string>,
): string {
  const further = Object.entries(listeners)
  const urls = [`PLAINTEXT://127.0.0.1:${port}`, ...further.map(([name, address]) => `${name}://${address}`)].join(",")
  const protocols = further.map(([name]) => `,${name}:${name}`).join("")
  const entries: Record<string, string> = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": `CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT${protocols}`,
    // Retention would take records away whose times are a test's own.
    "log.initial.task.delay.ms": "86400000",
    listeners: `${urls},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": urls,
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": join(dir, "data"),
    "num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "2",
    "group.initial.rebalance.delay.ms": "0",
    "group.streams.initial.rebalance.delay.ms": "0",
    "group.streams.assignment.interval.ms": "0",
    // The floor of the session timeout, so that suites of expiry need not wait six seconds.
    "group.min.session.timeout.ms": "500",
    // After a kill the node waits for its own old session to end.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.segment.bytes": "67108864",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    ...config,
  }
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("")
}

const logging = (file: string) => `
status = error
appender.file.type = File
appender.file.name = FILE
appender.file.fileName = ${file}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = info
rootLogger.appenderRef.file.ref = FILE
`

/** Ports of loopback that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** ApiVersions v0: the smallest request there is; a broker answers it only once it serves. */
const API_VERSIONS_REQUEST = Buffer.from("0000000a00120000000000010000", "hex")

async function ready(child: ChildProcess, port: number, dataDir: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      const said = readFileSync(join(dataDir, "console.log"), "utf8").trim().split("\n").slice(-5).join("\n")
      throw new Error(`Apache Kafka ended before it was ready, see ${dataDir}:\n${said}`)
    }
    if (await answers(port)) return
    await new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL_MS))
  }
  throw new Error(`Apache Kafka was not ready within ${timeoutMs} ms, see ${dataDir}`)
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, "127.0.0.1")
    const done = (result: boolean) => {
      socket.destroy()
      resolve(result)
    }
    socket.setTimeout(2000, () => done(false))
    socket.once("error", () => done(false))
    socket.once("data", () => done(true))
    socket.once("close", () => done(false))
    socket.once("connect", () => socket.write(API_VERSIONS_REQUEST))
  })
}
