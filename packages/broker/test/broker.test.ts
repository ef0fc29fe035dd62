/** The broker as a whole: starting, stopping, crashing, and what survives. */
import { readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Disk, type DiskFile, DiskError, type Host, memoryNet } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import { ErrorCode } from "@millrace/protocol"
import { DeleteTopics } from "@millrace/protocol/messages/delete-topics"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { ListOffsets } from "@millrace/protocol/messages/list-offsets"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { OffsetForLeaderEpoch } from "@millrace/protocol/messages/offset-for-leader-epoch"
import { describe, expect, test, vi } from "vitest"
import { Broker } from "@millrace/broker"
import { LOCK_CHECK_MS } from "../src/background/lock-watch.ts"
import { pass, startClock } from "./coordinator/passing-time.ts"
import { batch, NOW, start, temporaryDirectory } from "./harness.ts"
import { fetchAll, fetchOne } from "./read.ts"

/** A disk whose fsyncs return when the test says so, and fail when it says so. */
function slowDisk() {
  const waiting: (() => void)[] = []
  let failure: DiskError | undefined
  const wrap = (file: DiskFile): DiskFile =>
    new Proxy(file, {
      get(target, name) {
        if (name === "syncLater") {
          return () =>
            new Promise<void>((resolve, reject) => {
              waiting.push(() => (failure ? reject(failure) : resolve()))
            })
        }
        const value = Reflect.get(target, name, target) as unknown
        return typeof value === "function" ? value.bind(target) : value
      },
    })
  const disk: Disk = {
    ...nodeHost.disk,
    open: (path, options) => wrap(nodeHost.disk.open(path, options)),
  }
  const host: Host = { ...nodeHost, disk }
  return {
    host,
    waiting,
    /** Lets all fsyncs that wait return. */
    release: () => waiting.splice(0).forEach((done) => done()),
    fail: (path: string) => {
      failure = new DiskError("EIO", path, "sync")
    },
  }
}

const turns = async (count = 200) => {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

describe("restart", () => {
  test("topics, ids, settings, records and producer ids are there again; nothing is given out twice", async () => {
    const first = await start()
    const client = await first.client()
    const topicId = await client.createTopic("a", 2, { "retention.ms": "-1" })
    await client.produce("a", batch(["x", "y"], { producerId: 5, producerEpoch: 0, baseSequence: 0 }))
    const ids = async (asked: typeof client) =>
      (await asked.send(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1 })).producerId
    const before = await ids(client)
    await first.broker.close()

    const second = await start({}, { dataDir: first.dataDir })
    const again = await second.client()
    expect(second.broker.clusterId).toBe(first.broker.clusterId)
    expect(await again.topicId("a")).toBe(topicId)
    expect((await fetchAll(again, "a")).map(({ value }) => value)).toEqual(["x", "y"])
    const retried = batch(["x", "y"], { producerId: 5, producerEpoch: 0, baseSequence: 0 })
    expect(await again.produce("a", retried)).toMatchObject({ errorCode: 0, baseOffset: 0 })
    expect(await ids(again)).toBeGreaterThan(before)
    // A clean stop keeps the leader's epoch.
    expect(await fetchOne(again, "a", { currentLeaderEpoch: 0 })).toMatchObject({ errorCode: 0 })
  })

  test("after an unclean stop the records are there and the leader has a new epoch", async () => {
    const dataDir = temporaryDirectory()
    const first = await start({}, { dataDir })
    const client = await first.client()
    await client.createTopic("a")
    await client.produce("a", batch(["x"]))
    // As a killed process leaves it: files as they are, the lock gone with its owner, no marker of a clean stop.
    await first.broker.close()
    nodeHost.disk.remove(join(dataDir, ".kafka_cleanshutdown"))

    const again = await (await start({}, { dataDir })).client()
    expect(await fetchAll(again, "a")).toMatchObject([{ value: "x" }])
    const { topics } = await again.send(Metadata, 12, { topics: null })
    expect(topics[0]!.partitions[0]!.leaderEpoch).toBe(1)
    expect(await fetchOne(again, "a", { currentLeaderEpoch: 0 })).toMatchObject({
      errorCode: ErrorCode.FENCED_LEADER_EPOCH,
    })
    await again.produce("a", batch(["y"]))
    expect((await fetchAll(again, "a")).map(({ batch: { partitionLeaderEpoch } }) => partitionLeaderEpoch)).toEqual([
      0, 1,
    ])
  })

  test("62, 65: after a change of leader an offset is told with the epoch that it was written in", async () => {
    const dataDir = temporaryDirectory()
    const first = await start({}, { dataDir })
    const client = await first.client()
    await client.createTopic("a")
    await client.produce("a", batch([{ value: "x", timestamp: NOW - 1000 }]))
    await first.broker.close()
    nodeHost.disk.remove(join(dataDir, ".kafka_cleanshutdown"))
    const again = await (await start({}, { dataDir })).client()
    await again.produce("a", batch([{ value: "y", timestamp: NOW }]))
    const epochOf = async (timestamp: number) => {
      const { topics } = await again.send(ListOffsets, 8, {
        ...{ replicaId: -1, isolationLevel: 0 },
        topics: [{ name: "a", partitions: [{ partitionIndex: 0, timestamp }] }],
      })
      return topics[0]!.partitions[0]!.leaderEpoch
    }
    const [earliest, latest, byTime] = [-2, -1, NOW - 1000]
    expect([await epochOf(earliest), await epochOf(byTime), await epochOf(NOW), await epochOf(latest)]).toEqual([
      ...[0, 0, 1, 1],
    ])
    const { topics } = await again.send(OffsetForLeaderEpoch, 4, {
      topics: [{ topic: "a", partitions: [{ partition: 0, leaderEpoch: 0 }] }],
    })
    expect(topics[0]!.partitions[0]).toMatchObject({ leaderEpoch: 0, endOffset: 1 })
  })

  test("a deleted topic's files are gone, also when it is recreated", async () => {
    const started = await start()
    const client = await started.client()
    await client.createTopic("a")
    await client.produce("a", batch(["x"]))
    await client.send(DeleteTopics, 5, { topicNames: ["a"], timeoutMs: 1000 })
    const left = () => readdirSync(started.dataDir).filter((name) => name.startsWith("a-"))
    expect(left().filter((name) => !name.endsWith("-delete"))).toEqual([])
    await vi.waitFor(() => expect(left()).toEqual([]))
    await client.createTopic("a")
    expect(await fetchAll(client, "a")).toEqual([])
    expect(await client.produce("a", batch(["y"]))).toMatchObject({ baseOffset: 0 })
  })

  test("a metadata log grown past the bound is replaced by a snapshot, from which the next start reads", async () => {
    const config = { "metadata.log.max.record.bytes.between.snapshots": "2000" }
    const first = await start(config)
    const client = await first.client()
    for (let index = 0; index < 30; index++) await client.createTopic(`topic-${index}`, 2)
    await client.send(DeleteTopics, 5, { topicNames: ["topic-3"], timeoutMs: 1000 })
    await first.broker.close()
    const directory = join(first.dataDir, "__cluster_metadata-0")
    const snapshots = readdirSync(directory).filter((name) => name.endsWith(".checkpoint"))
    expect(snapshots).toHaveLength(2)
    const again = await (await start(config, { dataDir: first.dataDir })).client()
    const { topics } = await again.send(Metadata, 12, { topics: null })
    expect(topics).toHaveLength(29)
    expect(await again.produce("topic-29", batch(["x"]), { partition: 1 })).toMatchObject({ errorCode: 0 })
  })

  test("quiet partitions of the coordinators' topics have no files", async () => {
    const started = await start({ "offsets.topic.num.partitions": "50" })
    const client = await started.client()
    const { FindCoordinator } = await import("@millrace/protocol/messages/find-coordinator")
    await client.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ["g"] })
    await client.createTopic("a")
    expect(await client.offset("a", -1)).toBe(0)
    expect(await client.offset("a", -2)).toBe(0)
    expect(await client.offset("a", -3)).toBe(-1)
    expect(await fetchOne(client, "a")).toMatchObject({ errorCode: 0, highWatermark: 0, logStartOffset: 0 })
    expect(readdirSync(started.dataDir).filter((name) => /^(__consumer_offsets|a)-/.test(name))).toEqual([])
  })
})

describe("fsync before the answer", () => {
  test("with flush.messages=1 nothing is acknowledged or visible before the device has it; one fsync serves many", async () => {
    const { host, waiting, release } = slowDisk()
    const started = await start({}, { host })
    const [client, other, reader] = [await started.client(), await started.client(), await started.client()]
    await client.createTopic("a", 1, { "flush.messages": "1" })
    const answers: number[] = []
    const send = (from: typeof client, value: string) =>
      from.produce("a", batch([value])).then(({ baseOffset }) => answers.push(baseOffset))
    const first = send(client, "x")
    await turns()
    const later = [send(client, "y"), send(other, "z")]
    await turns()
    expect(answers).toEqual([])
    expect(waiting).toHaveLength(1)
    expect(await fetchOne(reader, "a")).toMatchObject({ highWatermark: 0, errorCode: 0 })
    release()
    await first
    expect(answers).toEqual([0])
    await turns()
    expect(waiting).toHaveLength(1)
    release()
    await Promise.all(later)
    expect(answers.sort()).toEqual([0, 1, 2])
    expect(await fetchOne(reader, "a")).toMatchObject({ highWatermark: 3 })
  })

  test("105: a failed fsync takes the partition offline, others live on; one line names the file", async () => {
    const { host, release, fail } = slowDisk()
    const started = await start({}, { host })
    const client = await started.client()
    await client.createTopic("a", 1, { "flush.messages": "1" })
    await client.createTopic("b")
    const produced = client.produce("a", batch(["x"]))
    await turns()
    fail("/data/a-0/0.log")
    release()
    expect(await produced).toMatchObject({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
    expect(await client.produce("a", batch(["y"]))).toMatchObject({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
    expect(await fetchOne(client, "a")).toMatchObject({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
    // To versions that do not know the error, the leader has moved.
    const old = { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }
    expect(await client.produce("a", batch(["y"]), { version: 3 })).toMatchObject(old)
    expect(await fetchOne(client, "a", { version: 5 })).toMatchObject(old)
    expect(await client.produce("b", batch(["x"]))).toMatchObject({ errorCode: 0 })
    expect(started.messages.filter((message) => message.includes("offline"))).toEqual([
      "partition a-0 is offline: cannot sync /data/a-0/0.log: input/output error",
    ])
  })

  test("a producer is told in time when the device does not answer", async () => {
    const { host } = slowDisk()
    // Nor is it waited for when the broker closes.
    const client = await (await start({ "shutdown.drain.timeout.ms": "50" }, { host })).client()
    await client.createTopic("a", 1, { "flush.messages": "1" })
    const { Produce } = await import("@millrace/protocol/messages/produce")
    const response = await client.send(Produce, 9, {
      acks: -1,
      timeoutMs: 5,
      topicData: [{ name: "a", partitionData: [{ index: 0, records: batch(["x"]) }] }],
    })
    expect(response.responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: ErrorCode.REQUEST_TIMED_OUT })
  })
})

test("a new cluster is told, once", async () => {
  const dataDir = temporaryDirectory()
  const told: unknown[][] = []
  const log = (...event: unknown[]) => void told.push(event)
  const { broker } = await start({}, { dataDir, log })
  const { clusterId } = broker
  const event = { level: "info", event: "cluster-made", clusterId, directory: dataDir }
  expect(told).toEqual([[`made a new cluster ${clusterId} in ${dataDir}`, event]])
  await broker.close()
  expect((await start({}, { dataDir, log })).broker.clusterId).toBe(clusterId)
  expect(told).toHaveLength(1)
})

test("a broker whose lock was removed must not go on", async () => {
  const clock = startClock()
  const started = await start({}, { host: { ...nodeHost, clock } })
  await pass(clock, LOCK_CHECK_MS)
  expect(started.defects).toEqual([])
  rmSync(join(started.dataDir, ".lock"))
  await pass(clock, LOCK_CHECK_MS)
  expect(started.defects).toMatchObject([
    { name: "LogDirectoryError", message: expect.stringContaining("its file .lock was removed or replaced") },
  ])
})

describe("a start that cannot be", () => {
  test("a locked data directory", async () => {
    const started = await start()
    await expect(start({}, { dataDir: started.dataDir })).rejects.toThrow(/data directory .* is in use by process \d+/)
  })

  test("a directory of something else, which is left as it is", async () => {
    const dataDir = temporaryDirectory()
    for (const name of ["PG_VERSION", "base", "global", "pg_wal"]) writeFileSync(join(dataDir, name), "")
    await expect(start({}, { dataDir })).rejects.toThrow(
      /^data directory .* has no meta.properties but other files \(PG_VERSION, base, global, …\): is it the right one, is its volume/,
    )
    expect(readdirSync(dataDir)).toEqual(["PG_VERSION", "base", "global", "pg_wal"])
  })

  const metadata = "__cluster_metadata-0"
  test.each([
    [
      "meta.properties",
      `no meta.properties but other files (.kafka_cleanshutdown, ${metadata}, a-0, …): is it the right one`,
    ],
    [
      metadata,
      `no ${metadata} but other files (a-0, log-start-offset-checkpoint, replication-offset-checkpoint): without it`,
    ],
    [
      `${metadata}/00000000000000000000-0000000000.checkpoint`,
      `no *.checkpoint in ${metadata} (00000000000000000000.log, partition.metadata, quorum-state)`,
    ],
  ])("a data directory without %s, and it starts when that is restored", async (name, message) => {
    const started = await start()
    const client = await started.client()
    await client.createTopic("a")
    await client.produce("a", batch(["x"]))
    await started.broker.close()
    const [there, away] = [join(started.dataDir, name), join(temporaryDirectory(), "away")]
    renameSync(there, away)
    const before = readdirSync(started.dataDir).filter((file) => file !== ".kafka_cleanshutdown")
    await expect(start({}, { dataDir: started.dataDir })).rejects.toThrow(message)
    expect(readdirSync(started.dataDir).filter((file) => file !== ".kafka_cleanshutdown")).toEqual(before)
    renameSync(away, there)
    const again = await start({}, { dataDir: started.dataDir })
    expect(again.messages).toEqual([])
    expect(await fetchAll(await again.client(), "a")).toHaveLength(1)
  })

  test("a cluster without records and without its metadata", async () => {
    const started = await start()
    await (await started.client()).createTopic("a")
    await started.broker.close()
    rmSync(join(started.dataDir, metadata), { recursive: true })
    await expect(start({}, { dataDir: started.dataDir })).rejects.toThrow(`has no ${metadata} but other files`)
  })

  test("a port in use leaves the directory free for the next try", async () => {
    const dataDir = temporaryDirectory()
    const net = memoryNet()
    const options = { host: nodeHost, net, dataDir, listen: { host: "h", port: 1 } }
    const listener = await net.listen(options.listen, () => {})
    await expect(Broker.start(options)).rejects.toThrow("cannot listen on h:1: the port is in use")
    await listener.close()
    await (await Broker.start(options)).close()
  })

  test("bounds of groups' settings with nothing between them", async () => {
    await expect(start({ "group.consumer.min.session.timeout.ms": "60001" })).rejects.toThrow(
      "it must be at most group.consumer.max.session.timeout.ms, which is 60000",
    )
  })

  test("an unknown setting", async () => {
    await expect(start({ "num.partitons": "1" })).rejects.toThrow(
      "unknown config num.partitons; did you mean num.partitions?",
    )
  })

  test("another node's directory", async () => {
    const started = await start()
    await started.broker.close()
    await expect(start({}, { dataDir: started.dataDir, nodeId: 2 })).rejects.toThrow("belongs to node 1, not to node 2")
  })

  test("a torn snapshot of the metadata is one line that names the file", async () => {
    const started = await start()
    await started.broker.close()
    const file = join(started.dataDir, "__cluster_metadata-0", "00000000000000000000-0000000000.checkpoint")
    truncateSync(file, 50)
    await expect(start({}, { dataDir: started.dataDir })).rejects.toThrow(
      /0000000000.checkpoint is corrupt: the metadata snapshot is not whole/,
    )
  })
})

test("settings without effect are told in one line, with what holds instead", async () => {
  const { messages, dataDir } = await start({ "log.dirs": "/x", "broker.id": "3", "num.partitions": "2" })
  expect(messages).toEqual([`settings without effect here: log.dirs (data is in ${dataDir}), broker.id (node.id is 1)`])
})

describe("damage", () => {
  /** Three segments of one batch each, the first of them overwritten. */
  async function damaged() {
    const started = await start({ "log.segment.bytes": "1048576" })
    const client = await started.client()
    await client.createTopic("a")
    for (let index = 0; index < 3; index++) await client.produce("a", batch(["x".repeat(600_000)]))
    await started.broker.close()
    writeFileSync(join(started.dataDir, "a-0", "00000000000000000000.log"), new Uint8Array(600_100))
    return started.dataDir
  }

  test("found by a reader, it takes the partition offline and is one line that names the file", async () => {
    const started = await start({}, { dataDir: await damaged() })
    const client = await started.client()
    expect(await fetchOne(client, "a")).toMatchObject({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
    expect(started.messages).toEqual([
      expect.stringMatching(/^partition a-0 is offline: .*a-0\/00000000000000000000.log is corrupt at byte 0/),
    ])
  })

  test("found by recovery, it is cut off and told", async () => {
    const dataDir = await damaged()
    nodeHost.disk.remove(join(dataDir, ".kafka_cleanshutdown"))
    nodeHost.disk.remove(join(dataDir, "recovery-point-offset-checkpoint"))
    const started = await start({}, { dataDir })
    expect(await fetchAll(await started.client(), "a")).toEqual([])
    expect(started.messages).toEqual([
      expect.stringMatching(/a-0\/00000000000000000000.log: cut .* bytes from byte 0 on, the log ends at offset 0/),
    ])
  })
})

test("nothing listens after close, which may be called twice", async () => {
  const started = await start()
  await Promise.all([started.broker.close(), started.broker.close()])
  await expect(started.client()).rejects.toMatchObject({ code: "ECONNREFUSED" })
})
