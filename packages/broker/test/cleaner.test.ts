/** The background cleaner in a broker, over the wire. Numbers are rows of reference/broker.md, section 2. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { nodeHost } from "@millrace/host/node"
import { DescribeConfigs } from "@millrace/protocol/messages/describe-configs"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { OffsetFetch } from "@millrace/protocol/messages/offset-fetch"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { IncrementalAlterConfigs } from "@millrace/protocol/messages/incremental-alter-configs"
import { describe, expect, test } from "vitest"
import { pass, startClock } from "./coordinator/passing-time.ts"
import { batch, type Client, NOW, start, temporaryDirectory } from "./harness.ts"
import { fetchOne, readRecords, type ReadRecord } from "./read.ts"

const eager = {
  "log.initial.task.delay.ms": "0",
  "log.cleaner.backoff.ms": "1",
  "log.cleaner.min.cleanable.ratio": "0.01",
}
/** Rolls after about two batches. */
const small = { "internal.segment.bytes": "250", "cleanup.policy": "compact" }

async function all(client: Client, topic: string): Promise<ReadRecord[]> {
  const found: ReadRecord[] = []
  for (let offset = 0; ;) {
    const { records, highWatermark } = await fetchOne(client, topic, { offset })
    const read = readRecords(records)
    found.push(...read)
    const next = read.at(-1) === undefined ? highWatermark : read.at(-1)!.batch.nextOffset
    if (next >= highWatermark) return found
    offset = next
  }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2))
}

async function fill(client: Client, topic: string, count = 60): Promise<void> {
  for (let index = 0; index < count; index++) {
    const { errorCode } = await client.produce(topic, batch([{ key: `k${index % 3}`, value: String(index) }]))
    expect(errorCode).toBe(0)
  }
}

const latest = [
  ["k0", "57"],
  ["k1", "58"],
  ["k2", "59"],
]

describe("the cleaner", () => {
  test("compacts in the background; a restart goes on from its checkpoint", async () => {
    const dataDir = temporaryDirectory()
    const first = await start(eager, { dataDir })
    let client = await first.client()
    await client.createTopic("table", 1, small)
    await fill(client, "table")
    const file = join(dataDir, "cleaner-offset-checkpoint")
    await until(async () => (await all(client, "table")).length <= 6 && existsSync(file))
    await first.broker.close()
    const checkpoint = readFileSync(file, "utf8").split("\n")
    expect(checkpoint.slice(0, 2)).toEqual(["0", "1"])
    expect(checkpoint[2]).toMatch(/^table 0 \d+$/)
    const second = await start(eager, { dataDir })
    client = await second.client()
    const records = await all(client, "table")
    expect(Object.fromEntries(records.map(({ key, value }) => [key, value]))).toEqual(Object.fromEntries(latest))
    expect(records.map(({ offset }) => offset)).toEqual(records.map(({ value }) => Number(value)))
    expect(await client.offset("table", -1)).toBe(60)
    expect(await client.offset("table", -2)).toBe(0)
    expect(second.defects).toEqual([])
  })

  test("71: a topic that becomes compacted is cleaned, one that ceases to be is not", async () => {
    const started = await start(eager)
    const client = await started.client()
    await client.createTopic("table", 1, { "internal.segment.bytes": "250" })
    await client.createTopic("other", 1, small)
    await fill(client, "table")
    expect(await all(client, "table")).toHaveLength(60)
    const alter = (resourceName: string, value: string) =>
      client.send(IncrementalAlterConfigs, 1, {
        resources: [
          { resourceType: 2, resourceName, configs: [{ name: "cleanup.policy", configOperation: 0, value }] },
        ],
        validateOnly: false,
      })
    await alter("table", "compact")
    await alter("other", "delete")
    await fill(client, "other")
    await until(async () => (await all(client, "table")).length <= 6)
    expect(await all(client, "other")).toHaveLength(60)
  })

  /** A broker with 60 records to compact, in virtual time. */
  async function filled(settings: Record<string, string>) {
    const clock = startClock()
    const client = await (await start({ ...eager, ...settings }, { host: { ...nodeHost, clock } })).client()
    await client.createTopic("table", 1, small)
    await fill(client, "table")
    return {
      async countAfter(ms: number) {
        await pass(clock, ms)
        return (await all(client, "table")).length
      },
    }
  }

  test("log.cleaner.enable=false leaves everything as it is", async () => {
    const [cleaning, leaving] = [await filled({}), await filled({ "log.cleaner.enable": "false" })]
    await until(async () => {
      expect(await leaving.countAfter(1000)).toBe(60)
      return (await cleaning.countAfter(1000)) <= 6
    })
  })

  test("log.cleaner.io.max.bytes.per.second bounds its reading and writing", async () => {
    const { countAfter } = await filled({ "log.cleaner.io.max.bytes.per.second": "100" })
    expect(await countAfter(10_000)).toBe(60)
    await until(async () => (await countAfter(10_000)) <= 6)
  })

  test("__consumer_offsets is compacted; groups find their offsets after a restart", async () => {
    const dataDir = temporaryDirectory()
    const settings = { ...eager, "offsets.topic.num.partitions": "1", "log.roll.ms": "1" }
    const clock = startClock()
    const options = { dataDir, host: { ...nodeHost, clock } }
    const inTime = (holds: () => Promise<boolean>) => until(() => pass(clock, 2).then(holds))
    const first = await start(settings, options)
    let client = await first.client()
    await client.createTopic("input")
    const find = () => client.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ["g"] })
    await inTime(async () => (await find()).coordinators[0]!.errorCode === 0)
    const commit = (committedOffset: number) =>
      client.send(OffsetCommit, 8, {
        groupId: "g",
        generationIdOrMemberEpoch: -1,
        memberId: "",
        topics: [{ name: "input", partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: "" }] }],
      })
    for (let offset = 1; offset <= 40; offset++) {
      expect((await commit(offset)).topics[0]!.partitions[0]!.errorCode).toBe(0)
      await pass(clock, 2)
    }
    await inTime(async () => (await all(client, "__consumer_offsets")).length < 10)
    await first.broker.close()
    client = await (await start(settings, options)).client()
    await inTime(async () => (await find()).coordinators[0]!.errorCode === 0)
    const fetched = async () =>
      (await client.send(OffsetFetch, 8, {
        groups: [{ groupId: "g", topics: [{ name: "input", partitionIndexes: [0] }] }],
        requireStable: true,
      }))!.groups[0]!
    await inTime(async () => (await fetched()).errorCode === 0)
    expect((await fetched()).topics[0]!.partitions[0]!.committedOffset).toBe(40)
  })

  test("a damaged log is named and left alone, the others are cleaned", async () => {
    const dataDir = temporaryDirectory()
    const first = await start({ ...eager, "log.cleaner.enable": "false" }, { dataDir })
    let client = await first.client()
    for (const topic of ["damaged", "sound"]) {
      await client.createTopic(topic, 1, small)
      await fill(client, topic)
    }
    await first.broker.close()
    const path = join(dataDir, "damaged-0", "00000000000000000000.log")
    const bytes = readFileSync(path)
    bytes[70]! ^= 1
    writeFileSync(path, bytes)
    const second = await start(eager, { dataDir })
    client = await second.client()
    await until(async () => (await all(client, "sound")).length <= 6)
    await until(() => second.messages.length > 0)
    expect(second.messages).toEqual([
      expect.stringMatching(/^damaged-0 is not compacted until the next start: .*damaged-0.*checksum$/),
    ])
    expect((await client.produce("damaged", batch([{ key: "k", value: "v" }]))).errorCode).toBe(0)
  })

  test("a topic deleted while it is cleaned is no fault", async () => {
    const slow = { ...eager, "log.cleaner.io.max.bytes.per.second": "20000", "log.cleaner.io.buffer.size": "1024" }
    const clock = startClock()
    const started = await start(slow, { host: { ...nodeHost, clock } })
    const client = await started.client()
    const { DeleteTopics } = await import("@millrace/protocol/messages/delete-topics")
    for (let round = 0; round < 3; round++) {
      await client.createTopic("table", 1, small)
      await fill(client, "table")
      // Reading it takes some 200 ms at that rate.
      await pass(clock, 50)
      await client.send(DeleteTopics, 5, { topicNames: ["table"], timeoutMs: 1000 })
    }
    expect(started.messages).toEqual([])
    expect(started.defects).toEqual([])
  })

  test("8: DescribeConfigs shows the cleaner's settings of a topic with their sources", async () => {
    const client = await (await start({ "log.cleaner.delete.retention.ms": "5000" })).client()
    await client.createTopic("table", 1, { "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.2" })
    const described = await client.send(DescribeConfigs, 4, {
      resources: [{ resourceType: 2, resourceName: "table", configurationKeys: null }],
      includeSynonyms: true,
      includeDocumentation: false,
    })
    const rows = new Map(described.results[0]!.configs.map((row) => [row.name, row]))
    const shown = (name: string) => [rows.get(name)!.value, rows.get(name)!.configSource]
    expect(shown("cleanup.policy")).toEqual(["compact", 1])
    expect(shown("min.cleanable.dirty.ratio")).toEqual(["0.2", 1])
    expect(shown("delete.retention.ms")).toEqual(["5000", 4])
    expect(shown("min.compaction.lag.ms")).toEqual(["0", 5])
    expect(shown("max.compaction.lag.ms")).toEqual(["9223372036854775807", 5])
  })
})

test("16: a record without a key is refused by a compacted topic, by its index", async () => {
  const client = await (await start()).client()
  await client.createTopic("table", 1, { "cleanup.policy": "compact" })
  const answer = await client.produce("table", batch([{ key: "k", value: "v", timestamp: NOW }, "no key"]))
  expect(answer.errorCode).toBe(87)
  expect(answer.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1])
})
