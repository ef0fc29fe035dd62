/**
 * A group of Java's consumers and ours under "cooperative-sticky": what stays is never given up, and nothing is read twice.
 * Runs Kafka's console consumer from its Maven artifacts; skipped where those are not.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { toolsClasspath } from "../../../tools/src/real-kafka.ts"
import { afterAll, expect, test } from "vitest"
import { type Consumer, cooperativeStickyAssignor } from "../src/index.ts"
import { brokers, bytes, fresh, newClient, newTopic, seen } from "./cluster.ts"

const client = newClient()
afterAll(() => client.close())

const PARTITIONS = 6
const classpath = await toolsClasspath().catch(() => undefined)

async function fill(topic: string, each: number): Promise<void> {
  await using producer = client.producer()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    for (let index = 0; index < each; index++) producer.append(topic, partition, index, null, bytes(`${partition}`))
  }
  await producer.flush()
}

interface JavaConsumer {
  readonly process: ChildProcess
  /** Partitions of the records it printed. */
  readonly read: number[]
  readonly errors: string[]
}

function javaConsumer(topic: string, groupId: string): JavaConsumer {
  const config = {
    "partition.assignment.strategy": "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
    "auto.offset.reset": "earliest",
    "auto.commit.interval.ms": "100",
    "heartbeat.interval.ms": "200",
  }
  const properties = Object.entries(config).flatMap(([key, value]) => ["--consumer-property", `${key}=${value}`])
  const tool = ["-cp", classpath!, "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", brokers]
  const jvm = ["-Xmx128m", "-XX:TieredStopAtLevel=1", "-Dorg.apache.logging.log4j.level=ERROR"]
  const child = spawn("java", [...jvm, ...tool, "--topic", topic, "--group", groupId, ...properties])
  const consumer: JavaConsumer = { process: child, read: [], errors: [] }
  child.stdout.on("data", (chunk: Buffer) => {
    for (const line of String(chunk).split("\n")) if (/^\d$/.test(line)) consumer.read.push(Number(line))
  })
  child.stderr.on("data", (chunk: Buffer) => consumer.errors.push(String(chunk)))
  return consumer
}

test.skipIf(classpath === undefined)("Java's cooperative-sticky consumers and ours share a group", async () => {
  const topic = await newTopic(client, PARTITIONS)
  const groupId = fresh("sticky")
  const revoked: number[] = []
  const lost: number[] = []
  const consumer = client.consumer({
    groupId,
    assignors: [cooperativeStickyAssignor],
    autoOffsetReset: "earliest",
    autoCommit: true,
    autoCommitIntervalMs: 100,
    heartbeatIntervalMs: 200,
  })
  consumer.subscribe([topic], {
    onRevoked: (partitions) => void revoked.push(...partitions.map(({ partition }) => partition)),
    onLost: (partitions) => void lost.push(...partitions.map(({ partition }) => partition)),
  })
  const java: JavaConsumer[] = []
  const ours: number[] = []
  const until = async (what: string, done: () => boolean) => {
    const deadline = performance.now() + 60_000
    while (!done()) {
      if (performance.now() > deadline)
        throw new Error(`${what}; Java: ${java.flatMap(({ errors }) => errors).join("")}`)
      ours.push(...seen(await consumer.poll(100)).map(({ partition }) => partition))
    }
  }
  const readInAll = () => ours.length + java.reduce((sum, one) => sum + one.read.length, 0)
  const perPartition = () => {
    const all = [...ours, ...java.flatMap(({ read }) => read)]
    return Array.from({ length: PARTITIONS }, (_, partition) => all.filter((one) => one === partition).length)
  }
  try {
    await until("all partitions are ours", () => consumer.assignment().length === PARTITIONS)
    await fill(topic, 10)
    await until("we read all", () => readInAll() === 60)
    java.push(javaConsumer(topic, groupId))
    await until("half of them went", () => consumer.assignment().length === 3 && revoked.length === 3)
    await fill(topic, 10)
    await until("both read", () => readInAll() === 120)
    java.push(javaConsumer(topic, groupId))
    await until("a third stayed", () => consumer.assignment().length === 2 && revoked.length === 4)
    await fill(topic, 10)
    await until("all three read", () => readInAll() === 180)
    expect(perPartition()).toEqual(Array.from({ length: PARTITIONS }, () => 30))
    // What was given up moved for balance alone: the two that stayed were never revoked.
    expect(consumer.assignment().filter(({ partition }) => revoked.includes(partition))).toEqual([])
    for (const { process } of java) process.kill("SIGTERM")
    await until("all came back", () => consumer.assignment().length === PARTITIONS)
    await fill(topic, 10)
    await until("we read all again", () => readInAll() === 240)
    expect(perPartition()).toEqual(Array.from({ length: PARTITIONS }, () => 40))
    expect([revoked.length, lost]).toEqual([4, []])
  } finally {
    for (const { process } of java) process.kill("SIGKILL")
    await consumer.close()
  }
})

test.skipIf(classpath === undefined)("a Java leader counts what we had", async () => {
  const topic = await newTopic(client, PARTITIONS)
  const groupId = fresh("sticky")
  const leader = javaConsumer(topic, groupId)
  // Whoever joins a group first leads it, and goes on to: nobody else joins before it reads.
  const leads = async () => {
    while (leader.read.length === 0) await once(leader.process.stdout!, "data")
  }
  const member = () => {
    const consumer = client.consumer({
      groupId,
      assignors: [cooperativeStickyAssignor],
      autoOffsetReset: "earliest",
      heartbeatIntervalMs: 200,
    })
    consumer.subscribe([topic], { onRevoked: (partitions) => void (revoked += partitions.length) })
    return consumer
  }
  let revoked = 0
  const consumers: Consumer[] = []
  const until = async (what: string, done: () => boolean) => {
    const deadline = performance.now() + 60_000
    while (!done()) {
      if (performance.now() > deadline) throw new Error(`${what}; Java: ${leader.errors.join("")}`)
      await Promise.all(consumers.map((consumer) => consumer.poll(100)))
    }
  }
  try {
    await fill(topic, 5)
    await leads()
    consumers.push(member())
    await until("we have half", () => consumers[0]!.assignment().length === 3)
    const before = consumers[0]!.assignment().map(({ partition }) => partition)
    consumers.push(member())
    await until("a third each", () => consumers.every((consumer) => consumer.assignment().length === 2))
    expect(consumers[0]!.assignment().every(({ partition }) => before.includes(partition))).toBe(true)
    expect(revoked).toBe(1)
  } finally {
    leader.process.kill("SIGKILL")
    for (const consumer of consumers) await consumer.close()
  }
})
