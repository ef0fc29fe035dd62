/**
 * File to topic to SQLite on a real cluster: REST, pauses, kills, offsets, dead letters.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { KafkaClient } from "@millrace/client"
import { fileSource } from "@millrace/connector-file"
import { sqliteSink } from "@millrace/connector-sqlite"
import { nodeHost } from "@millrace/host/node"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { type Connect, startConnect } from "../src/index.ts"
import { startRegistry } from "./registry.ts"

const brokers = process.env["MILLRACE_TEST_BROKERS"] ?? inject("brokers" as never)
const suffix = Date.now().toString(36)
const directory = mkdtempSync(join(tmpdir(), "connect-e2e-"))
let client: KafkaClient

beforeAll(() => {
  client = new KafkaClient({ host: nodeHost, brokers })
})
afterAll(async () => {
  await client.close()
  rmSync(directory, { recursive: true })
})

const DEADLINE_MS = 60_000

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`)
    await delay(50)
  }
}

interface Seen {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: Readonly<Record<string, string>>
}

/** Every committed record of a topic, from its beginning to its end. */
async function readTopic(topic: string): Promise<Seen[]> {
  const consumer = client.consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
  const [described] = await client.admin().describeTopics([topic])
  const partitions = described!.partitions.map((_, partition) => ({ topic, partition }))
  consumer.assign(partitions)
  const ends = await consumer.endOffsets(partitions, { isolation: "read_uncommitted" })
  const seen: Seen[] = []
  const text = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString("utf8")
  while (ends.some((end) => (consumer.position(end) ?? 0) < end.offset)) {
    for (const part of await consumer.poll(500)) {
      part.forEach((record) => {
        const headers = Object.fromEntries(record.headers().map(({ key, value }) => [key, text(value) ?? ""]))
        const { offset, timestamp } = record
        seen.push({
          partition: part.partition,
          offset,
          timestamp,
          key: text(record.key()),
          value: text(record.value()),
          headers,
        })
      })
    }
  }
  await consumer.close()
  return seen
}

function rows(file: string, sql: string): Record<string, unknown>[] {
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
    try {
      return database.prepare(sql).all() as Record<string, unknown>[]
    } finally {
      database.close()
    }
  } catch (error) {
    if (/no such table|unable to open/.test((error as Error).message)) return []
    throw error
  }
}

async function rest(url: string, method: string, path: string, body?: unknown) {
  const response = await fetch(url + path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) })
  const text = await response.text()
  // oxlint-disable-next-line typescript/no-explicit-any -- answers are looked at field by field
  return {
    status: response.status,
    body: (text === "" ? undefined : JSON.parse(text)) as any,
    headers: response.headers,
  }
}

const numbers = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ n, group: `g${n % 7}`, at: 1_000_000 + n }))

function writeJson(name: string, count: number): string {
  const file = join(directory, name)
  writeFileSync(file, JSON.stringify(numbers(count)))
  return file
}

const JSON_PLAIN = {
  "key.converter": "StringConverter",
  "value.converter": "JsonConverter",
  "value.converter.schemas.enable": "false",
}

describe("a worker in this process", () => {
  let connect: Connect
  let registry: Awaited<ReturnType<typeof startRegistry>>

  beforeAll(async () => {
    registry = await startRegistry()
    connect = await startConnect({
      host: nodeHost,
      brokers,
      registryUrl: registry.url,
      listen: { host: "127.0.0.1", port: 0 },
      connectors: [fileSource, sqliteSink],
      config: {
        "group.id": `in-process-${suffix}`,
        "offset.storage.topic": `in-process-offsets-${suffix}`,
        "offset.flush.interval.ms": "200",
      },
    })
  })
  afterAll(async () => {
    await connect.close()
    await registry.server.close()
  })

  const status = async (name: string) => (await rest(connect.url, "GET", `/connectors/${name}/status`)).body

  it("moves Avro records from a file into a table, with event time", async () => {
    const topic = `avro-${suffix}`
    const sinkName = `avro-out-${suffix}`
    const database = join(directory, "avro.db")
    const avro = { "key.converter": "StringConverter", "value.converter": "AvroConverter" }
    const created = await rest(connect.url, "POST", "/connectors", {
      name: "avro-in",
      config: {
        ...avro,
        "connector.class": "FileSource",
        file: writeJson("avro.json", 500),
        topic,
        "key.field": "group",
        "timestamp.field": "at",
        "timestamp.format": "epoch-ms",
        "topic.creation.default.partitions": "3",
      },
    })
    expect(created.status).toBe(201)
    expect(created.headers.get("location")).toBe("/connectors/avro-in")
    const sink = {
      ...avro,
      "connector.class": "SqliteSink",
      topics: topic,
      "connection.url": database,
      "table.name.format": "numbers",
      "insert.mode": "upsert",
      "pk.mode": "record_value",
      "pk.fields": "n",
      "auto.create": "true",
      "tasks.max": "2",
    }
    await until("the topic", async () => (await status("avro-in")).tasks[0]?.completed === true)
    expect((await rest(connect.url, "PUT", `/connectors/${sinkName}/config`, sink)).status).toBe(201)
    await until("500 rows", () => rows(database, "select n from numbers").length === 500)
    expect(rows(database, "select * from numbers order by n").map((row) => ({ ...row }))).toEqual(numbers(500))
    expect(rows(database, "select typeof(n) as type from numbers limit 1")[0]!["type"]).toBe("integer")
    const seen = await readTopic(topic)
    expect(seen).toHaveLength(500)
    expect(Math.min(...seen.map((record) => record.timestamp))).toBe(1_000_000)
    expect(new Set(seen.map((record) => `${record.partition} ${record.key}`)).size).toBe(7)
    expect(await status(sinkName)).toMatchObject({
      type: "sink",
      connector: { state: "RUNNING" },
      tasks: [
        { id: 0, state: "RUNNING" },
        { id: 1, state: "RUNNING" },
      ],
    })
    await until("sink offsets", async () => {
      const { body } = await rest(connect.url, "GET", `/connectors/${sinkName}/offsets`)
      const sum = body.offsets.reduce((total: number, one: any) => total + one.offset.kafka_offset, 0)
      return body.offsets.length === 3 && sum > 500
    })
  })

  it("answers Kafka Connect's paths", async () => {
    const { url } = connect
    expect((await rest(url, "GET", "/")).body).toMatchObject({ version: "0.1.0", kafka_cluster_id: expect.any(String) })
    expect((await rest(url, "GET", "/health")).body.status).toBe("healthy")
    const plugins = (await rest(url, "GET", "/connector-plugins")).body
    expect(plugins).toEqual([
      { class: "FileSource", type: "source", version: "0.1.0" },
      { class: "SqliteSink", type: "sink", version: "0.1.0" },
    ])
    expect((await rest(url, "GET", "/connector-plugins?connectorsOnly=false")).body.length).toBeGreaterThan(5)
    expect((await rest(url, "GET", "/connector-plugins/FileSource/config")).body[0]).toMatchObject({
      name: "name",
      order: 1,
    })
    const validated = await rest(url, "PUT", "/connector-plugins/FileSource/config/validate", {
      name: "x",
      file: "f",
      format: "xml",
    })
    expect(validated.body.error_count).toBe(2)
    expect((await rest(url, "GET", "/connectors/none/status")).body).toEqual({
      error_code: 404,
      message: "there is no connector none",
    })
    expect((await rest(url, "GET", "/nothing")).status).toBe(404)
    expect((await rest(url, "POST", "/connectors", { name: "x", config: {} })).status).toBe(400)
    const bad = await rest(url, "POST", "/connectors", { name: "x", config: { "connector.class": "FileSource" } })
    expect(bad.status).toBe(400)
    expect(bad.body.message).toMatch(/file is required.*topic is required.*validate/s)
  })

  it("pauses, resumes, stops, restarts, alters offsets and deletes", async () => {
    const { url } = connect
    const topic = `paced-${suffix}`
    const config = {
      ...JSON_PLAIN,
      "connector.class": "FileSource",
      file: writeJson("paced.json", 100_000),
      topic,
      "max.records.per.second": "2000",
    }
    const created = await rest(url, "POST", "/connectors", { name: "paced", config, initial_state: "PAUSED" })
    expect(created.status).toBe(201)
    expect((await rest(url, "POST", "/connectors", { name: "paced", config })).status).toBe(409)
    await until("paused", async () => (await status("paced")).tasks[0]?.state === "PAUSED")
    expect((await rest(url, "GET", "/connectors/paced/offsets")).body).toEqual({ offsets: [] })
    expect((await rest(url, "PUT", "/connectors/paced/resume")).status).toBe(202)
    const position = async () =>
      (await rest(url, "GET", "/connectors/paced/offsets")).body.offsets[0]?.offset.record ?? 0
    await until("some records", async () => (await position()) > 500)
    const early = await rest(url, "PATCH", "/connectors/paced/offsets", {
      offsets: [{ partition: { filename: config.file }, offset: null }],
    })
    expect(early.status).toBe(400)
    expect(early.body.message).toMatch(/PUT \/connectors\/paced\/stop/)
    expect((await rest(url, "POST", "/connectors/paced/restart?includeTasks=true")).body.tasks[0].state).toBe(
      "RESTARTING",
    )
    await until("running", async () => (await status("paced")).tasks[0]?.state === "RUNNING")
    expect((await rest(url, "PUT", "/connectors/paced/stop")).status).toBe(204)
    expect((await status("paced")).tasks).toEqual([])
    await until("offsets altered", async () => {
      const offset = { position: 1, record: 0 }
      const altered = await rest(url, "PATCH", "/connectors/paced/offsets", {
        offsets: [{ partition: { filename: config.file }, offset }],
      })
      return altered.status === 200
    })
    expect((await rest(url, "GET", "/connectors/paced/offsets")).body.offsets).toEqual([
      { partition: { filename: config.file }, offset: { position: 1, record: 0 } },
    ])
    expect((await rest(url, "DELETE", "/connectors/paced/offsets")).status).toBe(200)
    expect((await rest(url, "GET", "/connectors/paced/offsets")).body.offsets).toEqual([])
    const written = (await readTopic(topic)).map((record) => JSON.parse(record.value!).n as number)
    expect(written.toSorted((a, b) => a - b)).toEqual(numbers(written.length).map(({ n }) => n))
    expect((await rest(url, "DELETE", "/connectors/paced")).status).toBe(204)
    expect((await rest(url, "GET", "/connectors?expand=status&expand=info")).body).not.toHaveProperty("paced")
  })

  it("restarts a failed task by itself, and shows why it failed", async () => {
    const file = join(directory, "late.json")
    const config = {
      ...JSON_PLAIN,
      "connector.class": "FileSource",
      file,
      topic: `late-${suffix}`,
      "restart.backoff.ms": "200",
    }
    await rest(connect.url, "PUT", "/connectors/late/config", config)
    await until("failed", async () => (await status("late")).tasks[0]?.state === "FAILED")
    expect((await status("late")).tasks[0].trace).toMatch(/late\.json: no such file/)
    writeFileSync(file, "[1,2]")
    await until("completed", async () => (await status("late")).tasks[0]?.completed === true)
    expect((await readTopic(`late-${suffix}`)).map((record) => record.value)).toEqual(["1", "2"])
  })

  it("keeps dead letters, of the converter and of the sink, and goes on", async () => {
    const topic = `dirty-${suffix}`
    const dead = `dead-${suffix}`
    const database = join(directory, "dirty.db")
    await client.admin().createTopics([{ name: topic, partitions: 1 }])
    const producer = client.producer({})
    for (const value of ['{"n":1}', "not json", '{"m":2}', '{"n":3}'])
      producer.append(topic, 0, 5, null, Buffer.from(value))
    await producer.flush()
    await producer.close()
    await rest(connect.url, "PUT", `/connectors/dirty-${suffix}/config`, {
      ...JSON_PLAIN,
      "connector.class": "SqliteSink",
      topics: topic,
      "connection.url": database,
      "table.name.format": "dirty",
      "pk.mode": "record_value",
      "pk.fields": "n",
      "auto.create": "true",
      "errors.tolerance": "all",
      "errors.deadletterqueue.topic.name": dead,
      "errors.deadletterqueue.context.headers.enable": "true",
    })
    await until("two rows", () => rows(database, "select n from dirty").length === 2)
    await until("two dead letters", async () => (await readTopic(dead).catch(() => [])).length === 2)
    const letters = await readTopic(dead)
    expect(letters.map((letter) => letter.value)).toEqual(["not json", '{"m":2}'])
    expect(letters.map((letter) => letter.headers["__connect.errors.stage"])).toEqual(["VALUE_CONVERTER", "TASK_PUT"])
    expect(letters.map((letter) => letter.headers["__connect.errors.offset"])).toEqual(["1", "2"])
  })
})

describe("a worker that is killed", () => {
  let child: ChildProcess | undefined
  let url = ""

  async function start(): Promise<void> {
    const script = fileURLToPath(new URL("worker-process.ts", import.meta.url))
    child = spawn(process.execPath, [script, String(brokers), suffix], { stdio: ["ignore", "pipe", "inherit"] })
    const failed = once(child, "exit").then(() => {
      throw new Error("the worker ended before it was ready")
    })
    const [line] = (await Promise.race([once(createInterface(child.stdout!), "line"), failed])) as [string]
    failed.catch(() => undefined)
    url = line
  }
  async function kill(): Promise<void> {
    child!.kill("SIGKILL")
    await once(child!, "exit")
  }
  afterAll(async () => {
    if (child?.exitCode === null && child.signalCode === null) await kill()
  })

  it("loses nothing, doubles nothing, and remembers its connectors", async () => {
    const count = 6_000
    const topic = `killed-${suffix}`
    const database = join(directory, "killed.db")
    await client.admin().createTopics([{ name: topic, partitions: 2 }])
    await start()
    await rest(url, "PUT", "/connectors/in/config", {
      ...JSON_PLAIN,
      "connector.class": "FileSource",
      file: writeJson("killed.json", count),
      topic,
      "key.field": "group",
      "max.records.per.second": "2000",
    })
    // Plain inserts without a key: a row written twice would show.
    await rest(url, "PUT", `/connectors/out-${suffix}/config`, {
      ...JSON_PLAIN,
      "connector.class": "SqliteSink",
      topics: topic,
      "connection.url": database,
      "table.name.format": "killed",
      "auto.create": "true",
    })
    const rowCount = () => Number(rows(database, "select count(*) as count from killed")[0]?.["count"] ?? 0)
    for (const fraction of [0.15, 0.4, 0.65]) {
      await until(`${fraction} of the rows`, () => rowCount() >= fraction * count)
      await kill()
      await start()
    }
    await until("all rows", () => rowCount() >= count)
    await until("the source is done", async () => {
      const { body } = await rest(url, "GET", "/connectors/in/status")
      return body.tasks[0]?.completed === true
    })
    const written = (await readTopic(topic)).map((record) => JSON.parse(record.value!).n as number)
    expect(written.toSorted((a, b) => a - b)).toEqual(numbers(count).map(({ n }) => n))
    expect(rows(database, "select n from killed order by n").map((row) => row["n"])).toEqual(
      numbers(count).map(({ n }) => n),
    )
    child!.kill("SIGTERM")
    const [code] = (await once(child!, "exit")) as [number]
    expect(code).toBe(0)
  }, 120_000)
})
