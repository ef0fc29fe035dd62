/**
 * The whole worker against a broker in the same process: tasks that fail at the worst moment, and what is in the topic
 * and in the sink afterwards.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Broker } from "@millrace/broker"
import { KafkaClient } from "@millrace/client"
import { define, int, string } from "@millrace/config"
import { formatAddress, memoryNet, sleep } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  type Connect,
  type ConfigStore,
  DataError,
  defineSink,
  defineSource,
  memoryConfigStore,
  RetriableError,
  type SinkConnector,
  type SinkRecord,
  type SourceConnector,
  startConnect,
} from "../src/index.ts"

const net = memoryNet()
const host = { ...nodeHost, net }
let directory: string
let broker: Broker
let client: KafkaClient
let brokers: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "connect-"))
  const config = { "group.initial.rebalance.delay.ms": "0", "offsets.topic.num.partitions": "1" }
  broker = await Broker.start({ host, dataDir: directory, listen: { host: "memory", port: 1 }, config })
  brokers = formatAddress(broker.address)
  client = new KafkaClient({ host, brokers })
})
afterAll(async () => {
  await client.close()
  await broker.close()
  rmSync(directory, { recursive: true })
})

let names = 0
const fresh = (name: string): string => `${name}-${++names}`

interface CountingOptions {
  /** Called before each poll with the number of the next record; may throw. */
  readonly before?: (next: number) => void
}

/** Counts up to `count`, a few records a poll. */
const counting = ({ before }: CountingOptions = {}): SourceConnector =>
  defineSource({
    kind: "source",
    className: "Counting",
    version: "1",
    doc: "",
    config: define({ topic: string({ doc: "" }), count: int({ doc: "" }) }),
    exactlyOnce: true,
    createTask(config, context) {
      let next = Number(context.offset({ of: "numbers" })?.["next"] ?? 0)
      return {
        poll() {
          before?.(next)
          if (next >= config.count) return Promise.resolve(undefined)
          const upTo = Math.min(config.count, next + 10)
          const records = []
          while (next < upTo) {
            const value = next++
            const sourceOffset = { next }
            records.push({
              sourcePartition: { of: "numbers" },
              sourceOffset,
              topic: config.topic,
              key: `${value % 5}`,
              keySchema: undefined,
              value,
              valueSchema: undefined,
              timestamp: value,
            })
          }
          return Promise.resolve(records)
        },
        stop: () => undefined,
      }
    },
  })

/** Hands records to `take`, which may throw. */
const collecting = (
  take: (records: readonly SinkRecord[], report: (record: SinkRecord, error: Error) => void) => void,
): SinkConnector =>
  defineSink({
    kind: "sink",
    className: "Collecting",
    version: "1",
    doc: "",
    config: define({}),
    createTask: (_config, context) => ({
      put: (records) => take(records, context.report),
      stop: () => undefined,
    }),
  })

const PLAIN = {
  "key.converter": "StringConverter",
  "value.converter": "JsonConverter",
  "value.converter.schemas.enable": "false",
  "restart.backoff.ms": "10",
}
const source = (topic: string, count: number) => ({ ...PLAIN, "connector.class": "Counting", topic, count: `${count}` })
const sink = (topics: string) => ({ ...PLAIN, "connector.class": "Collecting", topics })

async function withConnect(
  options: {
    readonly connectors: readonly (SourceConnector | SinkConnector)[]
    readonly connectorConfigs?: Record<string, Record<string, string>>
    readonly store?: ConfigStore | "kafka"
    readonly config?: Record<string, string>
  },
  body: (connect: Connect) => Promise<void>,
): Promise<void> {
  const config = { "offset.flush.interval.ms": "20", "offset.storage.partitions": "1", ...options.config }
  const connect = await startConnect({ host, brokers, ...options, config })
  try {
    await body(connect)
  } finally {
    await connect.close()
  }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = nodeHost.clock.monotonic() + 60_000
  while (!(await holds())) {
    if (nodeHost.clock.monotonic() > deadline) throw new Error("it never came to be")
    await sleep(nodeHost.clock, 5)
  }
}

const completed = (connect: Connect, name: string) => () => connect.status()[name]?.tasks[0]?.completed === true

async function valuesOf(topic: string): Promise<unknown[]> {
  const consumer = client.consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
  const place = { topic, partition: 0 }
  consumer.assign([place])
  const [end] = await consumer.endOffsets([place], { isolation: "read_uncommitted" })
  const values: unknown[] = []
  while ((consumer.position(place) ?? 0) < end!.offset) {
    for (const part of await consumer.poll(100)) {
      part.forEach((record) => values.push(JSON.parse(Buffer.from(record.value()!).toString())))
    }
  }
  await consumer.close()
  return values
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

describe("sources", () => {
  it("exactly once: a task that dies between polls repeats nothing and skips nothing", async () => {
    const topic = fresh("numbers")
    const name = fresh("source")
    const failAt = new Set([0, 30, 70])
    const before = (next: number) => {
      if (failAt.delete(next)) throw new Error(`no luck at ${next}`)
    }
    await withConnect(
      { connectors: [counting({ before })], connectorConfigs: { [name]: source(topic, 100) } },
      async (connect) => {
        await until(completed(connect, name))
        expect(failAt.size).toBe(0)
        expect(await valuesOf(topic)).toEqual(upTo(100))
        expect(await connect.worker.offsets(name)).toEqual([{ partition: { of: "numbers" }, offset: { next: 100 } }])
      },
    )
  })

  it("exactly once: what a transaction has not committed is dropped and read again", async () => {
    const topic = fresh("numbers")
    const name = fresh("source")
    let fail = true
    const before = (next: number) => {
      if (next !== 50 || !fail) return
      fail = false
      throw new Error("inside the transaction")
    }
    const settings = {
      ...source(topic, 100),
      "transaction.boundary": "interval",
      "transaction.boundary.interval.ms": "60000",
    }
    await withConnect(
      { connectors: [counting({ before })], connectorConfigs: { [name]: settings } },
      async (connect) => {
        await until(completed(connect, name))
        expect(fail).toBe(false)
        expect(await valuesOf(topic)).toEqual(upTo(100))
      },
    )
  })

  it("at least once: offsets follow the records", async () => {
    const topic = fresh("numbers")
    const name = fresh("source")
    let fail = true
    const before = (next: number) => {
      if (next !== 50 || !fail) return
      fail = false
      throw new Error("before the offsets")
    }
    const config = { "exactly.once.source.support": "disabled", "offset.flush.interval.ms": "60000" }
    await withConnect(
      { connectors: [counting({ before })], connectorConfigs: { [name]: source(topic, 100) }, config },
      async (connect) => {
        await until(completed(connect, name))
        expect([...new Set(await valuesOf(topic))]).toEqual(upTo(100))
        expect(await connect.worker.offsets(name)).toEqual([{ partition: { of: "numbers" }, offset: { next: 100 } }])
      },
    )
  })

  it("skips what cannot be converted when told to, and fails otherwise", async () => {
    const topic = fresh("numbers")
    const dead = fresh("dead")
    const tolerant = { "errors.tolerance": "all", "errors.deadletterqueue.topic.name": dead }
    const [strict, lenient] = [fresh("strict"), fresh("lenient")]
    // Numbers are no booleans: every record is refused.
    const settings = { ...source(topic, 20), "value.converter": "BooleanConverter", "restart.policy": "never" }
    const connectorConfigs = { [strict]: settings, [lenient]: { ...settings, ...tolerant } }
    await withConnect({ connectors: [counting()], connectorConfigs }, async (connect) => {
      await until(completed(connect, lenient))
      await until(() => connect.status()[strict]?.tasks[0]?.state === "FAILED")
      expect(connect.status()[strict]?.tasks[0]?.trace).toMatch(/value should be boolean but is 0/)
      expect(await connect.worker.offsets(strict)).toEqual([])
      expect(await connect.worker.offsets(lenient)).toHaveLength(1)
      expect(await valuesOf(dead)).toEqual(upTo(20))
    })
  })
})

describe("sinks", () => {
  async function filled(count: number, partitions = 1): Promise<string> {
    const topic = fresh("filled")
    await client.admin().createTopics([{ name: topic, partitions }])
    const producer = client.producer()
    for (const value of upTo(count)) producer.append(topic, value % partitions, value, null, Buffer.from(`${value}`))
    await producer.flush()
    await producer.close()
    return topic
  }
  const sorted = (values: readonly unknown[]) => (values as number[]).toSorted((left, right) => left - right)

  it("put everything, in order, once, and commit it", async () => {
    const topic = await filled(100)
    const name = fresh("sink")
    const seen: unknown[] = []
    const connectors = [collecting((records) => seen.push(...records.map((record) => record.value)))]
    await withConnect({ connectors, connectorConfigs: { [name]: sink(topic) } }, async (connect) => {
      await until(async () => (await connect.worker.offsets(name))[0]?.offset?.["kafka_offset"] === 100)
      expect(seen).toEqual(upTo(100))
    })
    await withConnect({ connectors, connectorConfigs: { [name]: sink(topic) } }, async (connect) => {
      await until(() => connect.status()[name]?.tasks[0]?.state === "RUNNING")
      const producer = client.producer()
      await producer.send({ topic, partition: 0, value: "100" })
      await until(() => seen.length > 100)
      expect(seen).toEqual(upTo(101))
      await producer.close()
    })
  })

  it("share partitions between tasks", async () => {
    const topic = await filled(100, 4)
    const name = fresh("sink")
    const seen: unknown[] = []
    const connectors = [collecting((records) => seen.push(...records.map((record) => record.value)))]
    const connectorConfigs = { [name]: { ...sink(topic), "tasks.max": "2" } }
    await withConnect({ connectors, connectorConfigs }, async (connect) => {
      expect(connect.worker.names()).toEqual([name])
      await until(() => new Set(seen).size === 100)
      await until(async () => (await client.admin().describeGroups([`connect-${name}`]))[0]?.members.length === 2)
      await until(async () => {
        const [group] = await client.admin().describeGroups([`connect-${name}`])
        return group!.members.every((member) => member.partitions.length === 2)
      })
    })
  })

  it("give the same records again after a fault that may pass", async () => {
    const topic = await filled(30)
    const name = fresh("sink")
    const seen: unknown[] = []
    let faults = 3
    const connectors = [
      collecting((records) => {
        if (faults-- > 0) throw new RetriableError("busy")
        seen.push(...records.map((record) => record.value))
      }),
    ]
    const settings = { ...sink(topic), "errors.retry.delay.max.ms": "10" }
    await withConnect({ connectors, connectorConfigs: { [name]: settings } }, async (connect) => {
      await until(() => seen.length === 30)
      expect(seen).toEqual(upTo(30))
      expect(faults).toBe(-1)
      expect(connect.status()[name]?.tasks[0]?.state).toBe("RUNNING")
    })
  })

  it("start again from what was committed after they fail", async () => {
    const topic = await filled(30)
    const name = fresh("sink")
    const seen: unknown[] = []
    let fail = true
    const connectors = [
      collecting((records) => {
        if (fail) {
          fail = false
          throw new Error("broken")
        }
        seen.push(...records.map((record) => record.value))
      }),
    ]
    await withConnect({ connectors, connectorConfigs: { [name]: sink(topic) } }, async () => {
      await until(() => seen.length === 30)
      expect(seen).toEqual(upTo(30))
    })
  })

  it("read a topic that appears later, and those of a pattern", async () => {
    const name = fresh("sink")
    const late = fresh("late")
    const seen: unknown[] = []
    const connectors = [collecting((records) => seen.push(...records.map((record) => record.topic)))]
    await withConnect({ connectors, connectorConfigs: { [name]: sink(late) } }, async (connect) => {
      await until(() => connect.status()[name]?.tasks[0]?.state === "RUNNING")
      const producer = client.producer()
      await client.admin().createTopics([{ name: late, partitions: 1 }])
      await producer.send({ topic: late, value: "1" })
      await producer.close()
      await until(() => seen.includes(late))
    })
    const settings = { ...PLAIN, "connector.class": "Collecting", "topics.regex": "late-.*" }
    const pattern = fresh("sink")
    seen.length = 0
    await withConnect({ connectors, connectorConfigs: { [pattern]: settings } }, async () => {
      await until(() => seen.includes(late))
    })
  })

  it("set dead letters aside and commit past them", async () => {
    const topic = await filled(10)
    const dead = fresh("dead")
    const name = fresh("sink")
    const seen: unknown[] = []
    const connectors = [
      collecting((records, report) => {
        for (const record of records) {
          if (record.value === 4) report(record, new DataError("four"))
          else seen.push(record.value)
        }
      }),
    ]
    const settings = { ...sink(topic), "errors.tolerance": "all", "errors.deadletterqueue.topic.name": dead }
    await withConnect({ connectors, connectorConfigs: { [name]: settings } }, async (connect) => {
      await until(async () => (await connect.worker.offsets(name))[0]?.offset?.["kafka_offset"] === 10)
      expect(seen).toEqual(upTo(10).filter((value) => value !== 4))
      expect(await valuesOf(dead)).toEqual([4])
    })
  })

  it("fail rather than go on in a topic that has lost what they have read", async () => {
    const topic = await filled(20)
    const name = fresh("sink")
    const ahead = defineSink({
      kind: "sink",
      className: "Ahead",
      version: "1",
      doc: "",
      config: define({}),
      createTask: () => ({
        open: (partitions) => partitions.map((one) => ({ ...one, offset: 21 })),
        put: () => undefined,
        stop: () => undefined,
      }),
    })
    const settings = { ...sink(topic), "connector.class": "Ahead", "restart.policy": "never" }
    await withConnect({ connectors: [ahead], connectorConfigs: { [name]: settings } }, async (connect) => {
      await until(() => connect.status()[name]?.tasks[0]?.state === "FAILED")
      expect(connect.status()[name]?.tasks[0]?.trace).toMatch(
        /up to 21, but it ends at 20.*alter or delete its offsets/,
      )
    })
  })

  it("read on from offsets that were set while stopped", async () => {
    const topic = await filled(20)
    const name = fresh("sink")
    const seen: unknown[] = []
    const connectors = [collecting((records) => seen.push(...records.map((record) => record.value)))]
    await withConnect({ connectors, connectorConfigs: { [name]: sink(topic) } }, async (connect) => {
      const { worker } = connect
      await until(async () => (await worker.offsets(name))[0]?.offset?.["kafka_offset"] === 20)
      const offsets = [{ partition: { kafka_topic: topic, kafka_partition: "0" }, offset: { kafka_offset: 15 } }]
      await expect(worker.alterOffsets(name, offsets)).rejects.toThrow(/stop it first/)
      await worker.setTarget(name, "STOPPED")
      await until(() =>
        worker.alterOffsets(name, offsets).then(
          () => true,
          () => false,
        ),
      )
      await worker.setTarget(name, "STARTED")
      await until(() => seen.length === 25)
      expect(sorted(seen)).toEqual(sorted([...upTo(20), 15, 16, 17, 18, 19]))
      await worker.setTarget(name, "STOPPED")
      await until(() =>
        worker.resetOffsets(name).then(
          () => true,
          () => false,
        ),
      )
      await worker.setTarget(name, "STARTED")
      await until(() => seen.length === 45)
    })
  })
})

describe("configurations", () => {
  it("come back with their target states from the config topic", async () => {
    const topic = fresh("numbers")
    const config = { "config.storage.topic": fresh("connect-configs") }
    const [running, stopped, gone] = [fresh("running"), fresh("stopped"), fresh("gone")]
    const base = { connectors: [counting()], store: "kafka" as const, config }
    await withConnect(base, async ({ worker }) => {
      for (const name of [running, stopped, gone]) await worker.create(name, source(topic, 10), "STARTED")
      await worker.setTarget(stopped, "STOPPED")
      await worker.patchConfig(running, { count: "20", "errors.tolerance": null })
      await worker.remove(gone)
    })
    await withConnect(base, async (connect) => {
      expect(connect.worker.names().toSorted()).toEqual([running, stopped].toSorted())
      expect(connect.worker.config(running)["count"]).toBe("20")
      expect(connect.status()[stopped]).toMatchObject({ connector: { state: "STOPPED" }, tasks: [] })
      await until(completed(connect, running))
      expect(await connect.worker.offsets(running)).toMatchObject([{ offset: { next: 20 } }])
    })
  })

  it("are refused with everything that is wrong, and leave nothing behind", async () => {
    const store = memoryConfigStore()
    await withConnect({ connectors: [counting()], store }, async ({ worker }) => {
      await expect(worker.create("c", { "connector.class": "Counting", count: "x" }, "STARTED")).rejects.toThrow(
        /topic is required.*count: "x" must be a whole number/,
      )
      await expect(worker.putConfig("c", { ...source("t", 1), name: "d" })).rejects.toThrow(/for connector d.*for c/)
      expect(worker.names()).toEqual([])
      expect((await store.load()).size).toBe(0)
    })
  })

  it("of a start that are wrong stop the start", async () => {
    const connectorConfigs = { c: { "connector.class": "Nothing" } }
    await expect(startConnect({ host, brokers, connectors: [counting()], connectorConfigs })).rejects.toThrow(
      /there is no "Nothing" here/,
    )
  })
})
