/** A full disk: what needs room is refused, nothing else, and all goes on by itself once there is some. */
import { type Disk, type DiskFile, DiskError, type Host } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import { ErrorCode } from "@millrace/protocol"
import { CreateTopics } from "@millrace/protocol/messages/create-topics"
import { DeleteTopics } from "@millrace/protocol/messages/delete-topics"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { IncrementalAlterConfigs } from "@millrace/protocol/messages/incremental-alter-configs"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { LogDirectory, logConfig } from "@millrace/storage"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { Controller } from "../src/controller/controller.ts"
import { MetadataImage } from "../src/controller/image.ts"
import { MetadataLog } from "../src/controller/metadata-log.ts"
import { batch, start } from "./harness.ts"
import { fetchAll, fetchOne } from "./read.ts"

/** Of what does not fit the first half is written, as a real disk may. */
function limitedDisk() {
  const state = { isFull: false }
  const noRoom = (path: string, operation: string) => new DiskError("ENOSPC", path, operation)
  const wrap = (file: DiskFile): DiskFile =>
    new Proxy(file, {
      get(target, name) {
        if (name === "write" && state.isFull) {
          return (chunks: readonly Uint8Array[], position: number) => {
            const bytes = Buffer.concat(chunks)
            target.write([bytes.subarray(0, bytes.length / 2)], position)
            throw noRoom(target.path, "write")
          }
        }
        const value = Reflect.get(target, name, target) as unknown
        return typeof value === "function" ? value.bind(target) : value
      },
    })
  const disk: Disk = {
    ...nodeHost.disk,
    open(path, options) {
      if (state.isFull && options?.create && !nodeHost.disk.exists(path)) throw noRoom(path, "open")
      return wrap(nodeHost.disk.open(path, options))
    },
  }
  const host: Host = { ...nodeHost, disk }
  return { host, state }
}

const REFUSED = { errorCode: ErrorCode.KAFKA_STORAGE_ERROR }

test("105: records are refused while the disk is full, and taken again when there is room", async () => {
  const { host, state } = limitedDisk()
  const started = await start({}, { host })
  const client = await started.client()
  await client.createTopic("a")
  await client.createTopic("unused")
  await client.createTopic("flushed", 1, { "flush.messages": "1" })
  await client.produce("a", batch(["before"]))
  await client.produce("flushed", batch(["before"]))

  state.isFull = true
  const two = batch(["lost", "lost"])
  for (const topic of ["a", "unused", "flushed"]) {
    expect(await client.produce(topic, two)).toMatchObject(REFUSED)
    expect(await client.produce(topic, two)).toMatchObject(REFUSED)
  }
  expect(await fetchOne(client, "a")).toMatchObject({ errorCode: 0, highWatermark: 1 })
  expect(started.messages.map((message) => message.replace(/ \/.*/, ""))).toEqual([
    "partition a-0 refuses records until there is room: cannot write",
    "partition unused-0 refuses records until there is room: cannot open",
    "partition flushed-0 refuses records until there is room: cannot write",
  ])

  state.isFull = false
  for (const topic of ["a", "unused", "flushed"])
    expect(await client.produce(topic, batch(["after"]))).toMatchObject({ errorCode: 0 })
  expect(started.messages.slice(3)).toEqual(
    ["a", "unused", "flushed"].map((topic) => `partition ${topic}-0 takes records again`),
  )
  expect(started.defects).toEqual([])
  expect((await fetchAll(client, "a")).map(({ value }) => String(value))).toEqual(["before", "after"])
})

test("commands are refused while the disk is full, and nothing of them is done", async () => {
  const { host, state } = limitedDisk()
  const started = await start({}, { host })
  const client = await started.client()
  await client.createTopic("a")
  await client.produce("a", batch(["before"]))
  const commit = () =>
    client.send(OffsetCommit, 9, {
      groupId: "g",
      generationIdOrMemberEpoch: -1,
      topics: [{ name: "a", partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }] }],
    })
  const committed = async () => (await commit()).topics[0]!.partitions[0]!.errorCode
  await client.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ["g"] })
  await expect.poll(committed).toBe(0)
  const commands = async () => {
    const topic = { name: "b", numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }
    const created = await client.send(CreateTopics, 7, { topics: [topic], timeoutMs: 1 })
    const configs = [{ name: "retention.ms", configOperation: 0, value: "1" }]
    const resources = [{ resourceType: 2, resourceName: "a", configs }]
    const altered = await client.send(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
    const deleted = await client.send(DeleteTopics, 6, { topics: [{ name: "a", topicId: ZERO }], timeoutMs: 1 })
    return [created.topics[0], altered.responses[0], deleted.responses[0]]
  }

  state.isFull = true
  for (const answer of await commands()) {
    expect(answer).toMatchObject({ ...REFUSED, errorMessage: expect.stringContaining("is full: nothing was changed") })
  }
  expect(await committed()).not.toBe(0)
  expect(await fetchOne(client, "a")).toMatchObject({ errorCode: 0, highWatermark: 1 })

  state.isFull = false
  expect(await client.send(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1 })).toMatchObject({
    errorCode: 0,
  })
  await expect.poll(committed).toBe(0)
  for (const answer of await commands()) expect(answer).toMatchObject({ errorCode: 0 })
  expect(started.defects).toEqual([])
})

test("a command is refused only where its records found no room, not where what follows them finds none", () => {
  const { host, state } = limitedDisk()
  const path = mkdtempSync(join(tmpdir(), "millrace-metadata-"))
  const logDirectory = LogDirectory.open(host.disk, path, { nodeId: 1, random: host.random })
  onTestFinished(() => {
    logDirectory.close(true)
    rmSync(path, { recursive: true })
  })
  const image = new MetadataImage()
  const config = logConfig({})
  const now = () => 0
  const log = MetadataLog.open({ disk: host.disk, logDirectory, nodeId: 1, now, config, snapshotBytes: 1e6 }, image)
  const controller = new Controller(image, log)
  const takeIds = (nextProducerId: number) =>
    controller.commit({
      records: [{ type: "ProducerIdsRecord", data: { brokerId: 1, brokerEpoch: 1, nextProducerId } }],
      response: { errorCode: ErrorCode.NONE },
    })
  state.isFull = true
  expect(takeIds(1)).toMatchObject(REFUSED)
  expect(image.nextProducerId).toBe(0)
  state.isFull = false
  controller.onRecords(() => {
    throw new DiskError("ENOSPC", "elsewhere", "write")
  })
  expect(() => takeIds(2)).toThrow("elsewhere")
  expect(image.nextProducerId).toBe(2)
})

const ZERO = "AAAAAAAAAAAAAAAAAAAAAA"
