/**
 * The main job (npm start): real flight data through source connectors, an exactly-once pipeline whose process is killed
 * twice inside an open transaction, and a sink connector into a SQLite file; then every hour of every airport is compared
 * with a count made from the input file directly.
 *
 *   npm start                          on an embedded broker
 *   npm start -- --brokers HOST:PORT   on any Kafka cluster
 *   npm start -- --guarantee at_least_once   shows what the guarantee is worth: it duplicates, and exits 1
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { Connectors } from "./connectors.ts"
import { compare, expectedCounts } from "./expected.ts"
import { Server } from "./processes.ts"
import { countedFlights, resultCounts, worstAirports } from "./result-file.ts"
import { Screen } from "./screen.ts"

const DATA = path.resolve(fileURLToPath(import.meta.resolve("vega-datasets")), "../../data")
const FLIGHTS = path.join(DATA, "flights-20k.json")
const AIRPORTS = path.join(DATA, "airports.csv")
const PIPELINE = fileURLToPath(import.meta.resolve("./pipeline.ts"))
const AIRPORT_COUNT = 3376
const TOPICS = ["flights", "airports", "flight-delays"]
const PARTITIONS = 4
const RECORDS_PER_SECOND = 2_000
/** The worker is killed when so much of the input has been counted. */
const CRASH_AT_FRACTIONS = [0.25, 0.6]
const GIVE_UP_AFTER_MS = 115_000
const POLL_MS = 100

/** Without transactions a crash repeats what came after the last commit: often enough a commit, and that may be nothing. */
const AT_LEAST_ONCE_COMMIT_MS = 5_000

const USAGE = "npm start -- [--brokers HOST:PORT] [--guarantee exactly_once|at_least_once] [--keep]"
const options = givenOptions()

function givenOptions() {
  try {
    const { values } = parseArgs({
      options: {
        brokers: { type: "string" },
        guarantee: { type: "string", default: "exactly_once" },
        keep: { type: "boolean", default: false },
      },
    })
    if (values.guarantee === "exactly_once" || values.guarantee === "at_least_once") return values
    throw new Error(`--guarantee ${values.guarantee}: exactly_once or at_least_once`)
  } catch (error) {
    console.error(`${(error as Error).message}\nusage: ${USAGE}`)
    process.exit(1)
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function main(): Promise<number> {
  const started = performance.now()
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-flights-"))
  const screen = new Screen()
  const servers: Server[] = []
  const serve = (name: string, ...args: string[]) => {
    const server = new Server(name, args)
    servers.push(server)
    return server
  }
  const expected = expectedCounts(FLIGHTS)
  const suffix = options.brokers === undefined ? "" : `-${Date.now().toString(36)}`
  let client: KafkaClient | undefined
  let created = false
  try {
    screen.step(
      options.brokers === undefined
        ? "starting broker, registry and connect worker"
        : `starting registry and connect worker on ${options.brokers}`,
    )
    const urls =
      options.brokers === undefined
        ? await startAll(serve, directory)
        : await startBeside(serve, options.brokers, suffix)
    client = new KafkaClient({ host: nodeHost, brokers: urls.kafka, clientId: "flights-main" })
    const admin = client.admin()
    await refuseExisting(admin)
    // Flights of 2001 are older than the seven days that a topic keeps its records for where it says nothing else.
    const configs = { "retention.ms": "-1" }
    await admin.createTopics(TOPICS.map((name) => ({ name, partitions: PARTITIONS, replicationFactor: -1, configs })))
    created = options.brokers !== undefined
    const connectors = new Connectors(urls.connect)
    const file = path.join(directory, "delays.sqlite")

    screen.step(`reading ${AIRPORT_COUNT} airports`)
    await connectors.create(`airports${suffix}`, {
      "connector.class": "FileSource",
      file: AIRPORTS,
      topic: "airports",
      "key.field": "iata",
      "record.timestamp": "0",
      "schema.name": "Airport",
      ...avroConverters(urls.registry),
    })
    await until(
      async () => (await endOffsetSum(admin, "airports")) >= AIRPORT_COUNT,
      () => connectors.check(`airports${suffix}`),
    )

    screen.step(
      `reading ${expected.records} flights at ${RECORDS_PER_SECOND} a second; the pipeline's process will be killed twice`,
    )
    await connectors.create(`flights${suffix}`, {
      "connector.class": "FileSource",
      file: FLIGHTS,
      topic: "flights",
      "timestamp.field": "date",
      "timestamp.format": "yyyy/MM/dd HH:mm",
      "max.records.per.second": String(RECORDS_PER_SECOND),
      "schema.name": "Flight",
      ...avroConverters(urls.registry),
    })
    await connectors.create(`delays${suffix}`, {
      "connector.class": "SqliteSink",
      topics: "flight-delays",
      "connection.url": file,
      "table.name.format": "${topic}",
      "insert.mode": "upsert",
      "pk.mode": "record_value",
      "pk.fields": "airport,hour",
      "auto.create": "true",
      ...avroConverters(urls.registry),
    })

    const transactional = options.guarantee !== "at_least_once"
    const transactionalIds = `flight-delays${suffix}-`
    const startWorker = () =>
      serve(
        "pipeline",
        "run",
        PIPELINE,
        "--brokers",
        urls.kafka,
        "--state",
        path.join(directory, "state"),
        "--set",
        `application.id=flight-delays${suffix}`,
        "--set",
        `schema.registry.url=${urls.registry}`,
        "--set",
        `processing.guarantee=${options.guarantee}`,
        ...(transactional ? [] : ["--set", `commit.interval.ms=${AT_LEAST_ONCE_COMMIT_MS}`]),
      )
    let worker = startWorker()
    let crashes = 0
    for (;;) {
      for (const server of servers) server.check()
      const counted = countedFlights(file)
      screen.progress({ counted, total: expected.records, crashes, elapsedMs: performance.now() - started })
      const threshold = CRASH_AT_FRACTIONS[crashes]
      if (threshold !== undefined && counted >= threshold * expected.records) {
        if (await (transactional ? killInsideTransaction(admin, worker, transactionalIds) : kill(worker))) {
          crashes++
          screen.step(
            `killed the pipeline's process${transactional ? " inside an open transaction" : ""} (${crashes} of ${CRASH_AT_FRACTIONS.length}); restarting it`,
          )
        }
        worker = startWorker()
      }
      if (
        counted >= expected.records &&
        crashes === CRASH_AT_FRACTIONS.length &&
        (await isDrained(admin, worker, suffix))
      )
        break
      if (performance.now() - started > GIVE_UP_AFTER_MS) {
        screen.step(`giving up after ${Math.round(GIVE_UP_AFTER_MS / 1000)} s\n${worker.tail}`)
        break
      }
      await sleep(POLL_MS)
    }

    const difference = compare(expected.counts, resultCounts(file))
    screen.table(worstAirports(file, 10, 50))
    const seconds = Math.round((performance.now() - started) / 100) / 10
    console.log(`RESULT ${JSON.stringify({ records: expected.records, ...pick(difference), crashes, seconds })}`)
    return difference.lost === 0 && difference.duplicated === 0 && crashes === CRASH_AT_FRACTIONS.length ? 0 : 1
  } finally {
    screen.end()
    for (const server of servers.toReversed()) await server.stop()
    if (client !== undefined && created && !options.keep) await deleteCreated(client.admin(), suffix)
    await client?.close()
    if (!options.keep) rmSync(directory, { recursive: true, force: true })
  }
}

const pick = ({ counted, lost, duplicated }: { counted: number; lost: number; duplicated: number }) => ({
  counted,
  lost,
  duplicated,
})

interface Urls {
  readonly kafka: string
  readonly registry: string
  readonly connect: string
}

type Serve = (name: string, ...args: string[]) => Server

async function startAll(serve: Serve, directory: string): Promise<Urls> {
  const free = "127.0.0.1:0"
  const up = serve(
    "up",
    "up",
    "--data",
    path.join(directory, "log"),
    "--kafka",
    free,
    "--registry",
    free,
    "--connect",
    free,
  )
  const ready = await up.ready
  return { kafka: ready["kafka"]!, registry: ready["registry"]!, connect: ready["connect"]! }
}

async function startBeside(serve: Serve, brokers: string, suffix: string): Promise<Urls> {
  const registry = serve(
    "registry",
    "registry",
    "--brokers",
    brokers,
    "--listen",
    "127.0.0.1:0",
    "--set",
    `kafkastore.topic=_schemas${suffix}`,
  )
  const url = (await registry.ready)["registry"]!
  const connect = serve(
    "connect",
    "connect",
    "--brokers",
    brokers,
    "--listen",
    "127.0.0.1:0",
    "--set",
    `group.id=connect${suffix}`,
    "--set",
    `offset.storage.topic=connect${suffix}-offsets`,
    "--set",
    `config.storage.topic=connect${suffix}-configs`,
  )
  return { kafka: brokers, registry: url, connect: (await connect.ready)["connect"]! }
}

function avroConverters(registry: string): Record<string, string> {
  return {
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "io.confluent.connect.avro.AvroConverter",
    "value.converter.schema.registry.url": registry,
  }
}

type Admin = ReturnType<KafkaClient["admin"]>

async function endOffsetSum(admin: Admin, topic: string): Promise<number> {
  const offsets = await admin.listOffsets(
    Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, timestamp: -1 })),
  )
  return offsets.reduce((sum, { offset }) => sum + offset, 0)
}

/**
 * Kills the worker while the coordinator says that its transaction is open, and believes it only when the coordinator
 * still says so afterwards: a transaction that committed just before the signal is not the crash that we want.
 */
async function killInsideTransaction(admin: Admin, worker: Server, prefix: string): Promise<boolean> {
  const open = async () =>
    (await admin.listTransactions({ states: ["Ongoing"] })).filter((one) => one.transactionalId.startsWith(prefix))
  await until(
    async () => (await open()).length > 0,
    async () => worker.check(),
  )
  await worker.kill()
  return (await open()).length > 0
}

/** On somebody's cluster: never write into topics that were there before. */
async function refuseExisting(admin: Admin): Promise<void> {
  const existing = await admin.listTopics({ includeInternal: true })
  const taken = TOPICS.filter((topic) => existing.includes(topic))
  if (taken.length > 0)
    throw new Error(`the cluster has a topic ${taken.join(", ")} already: delete it, or use another cluster`)
}

/** Leaves somebody's cluster as it was found. */
async function deleteCreated(admin: Admin, suffix: string): Promise<void> {
  const internal = (name: string) =>
    name.endsWith(suffix) || name.startsWith(`flight-delays${suffix}-`) || name.startsWith(`connect${suffix}-`)
  const topics = await admin.listTopics({ includeInternal: true })
  await admin.deleteTopics(topics.filter((name) => TOPICS.includes(name) || internal(name)))
}

async function kill(worker: Server): Promise<boolean> {
  await worker.kill()
  return true
}

/** Whether the worker has nothing left to read: a duplicate that is still under way must not be missed. */
async function isDrained(admin: Admin, worker: Server, suffix: string): Promise<boolean> {
  worker.check()
  for (const [group, topic] of [
    [`flight-delays${suffix}`, "flights"],
    [`connect-delays${suffix}`, "flight-delays"],
  ] as const) {
    const committed = await admin.listGroupOffsets(group)
    const ends = await admin.listOffsets(
      Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, timestamp: -1 })),
    )
    for (const end of ends) {
      const position = committed.find((one) => one.topic === topic && one.partition === end.partition)?.offset ?? 0
      if (position < end.offset) return false
    }
  }
  return true
}

async function until(condition: () => Promise<boolean>, check: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!(await condition())) {
    await check()
    if (performance.now() > deadline) throw new Error("waited 60 s in vain")
    await sleep(20)
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
