import { ErrorCode } from "@millrace/protocol"
import { nodeHost } from "@millrace/host/node"
import { endTxnMarkerBatch } from "@millrace/protocol/record/control"
import { Log, logConfig } from "@millrace/storage"
import { describe, expect, test } from "vitest"
import { type Leadership, Partition } from "../../src/partition/partition.ts"
import { batch, NOW, temporaryDirectory } from "../harness.ts"

const alone: Leadership = { leader: 1, leaderEpoch: 3, partitionEpoch: 0, isr: [1], replicas: [1] }
const withFollower: Leadership = { ...alone, isr: [1, 2], replicas: [1, 2] }

function partition(leadership: Leadership, minInsyncReplicas = 1) {
  const watermarks: number[] = []
  const directory = temporaryDirectory()
  const made = new Partition(
    {
      topic: "a",
      topicId: "AAAAAAAAAAAAAAAAAAAAEg",
      index: 0,
      brokerId: 1,
      logExists: false,
      openLog: () => Log.open(nodeHost.disk, directory, logConfig(), { now: 0, cleanShutdown: false }),
      now: () => NOW,
      minInsyncReplicas: () => minInsyncReplicas,
      flushMessages: () => Number.MAX_SAFE_INTEGER,
      onFault: () => {},
      onHighWatermark: (offset) => watermarks.push(offset),
    },
    leadership,
  )
  const append = (acksAll = true) => made.append(batch(["x"]), { origin: "client" }, acksAll)
  return { made, append, watermarks }
}

describe("high watermark", () => {
  test("alone, it follows the log end at once", () => {
    const { made, append, watermarks } = partition(alone)
    append()
    const settled: unknown[] = []
    expect(made.whenCommitted(1, (error) => settled.push(error))).toBeUndefined()
    expect(settled).toEqual([undefined])
    expect(watermarks).toEqual([1])
  })

  test("with a follower in sync it waits for it, and never goes back", () => {
    const { made, append, watermarks } = partition(withFollower)
    append()
    append()
    const settled: string[] = []
    made.whenCommitted(1, () => settled.push("one"))
    made.whenCommitted(2, () => settled.push("two"))
    expect(made.highWatermark).toBe(0)
    made.followerAt(2, 1)
    expect([made.highWatermark, settled]).toEqual([1, ["one"]])
    made.followerAt(2, 0)
    expect(made.highWatermark).toBe(1)
    made.lead({ ...alone, partitionEpoch: 1 })
    expect([made.highWatermark, settled]).toEqual([2, ["one", "two"]])
    expect(watermarks).toEqual([1, 2])
  })

  test("who waits under a lost leadership is told", () => {
    const { made, append } = partition(withFollower)
    append()
    const settled: unknown[] = []
    made.whenCommitted(1, (error) => settled.push(error))
    made.lead({ ...withFollower, leader: 2, leaderEpoch: 4 })
    expect(settled).toEqual([ErrorCode.NOT_LEADER_OR_FOLLOWER])
    expect(append()).toMatchObject({ ok: false, error: ErrorCode.NOT_LEADER_OR_FOLLOWER })
  })

  test("the log hears of it: replicated transactions are not kept in memory", () => {
    const { made } = partition(alone)
    const producer = { producerId: 7, producerEpoch: 0 }
    for (let baseSequence = 0; baseSequence < 3; baseSequence++) {
      made.append(batch(["x"], { ...producer, baseSequence, transactional: true }), { origin: "client" }, true)
      const marker = endTxnMarkerBatch({ ...producer, coordinatorEpoch: 0, committed: true, timestamp: NOW })
      made.append(marker, { origin: "coordinator" }, true)
    }
    expect(made.log.unreplicatedTransactions).toBe(0)
  })

  test("a waiting reader hears of committed data only", () => {
    const { made, append } = partition(withFollower)
    void made.log
    const heard: (string | number)[] = []
    made.fetchWaiters.add({ dataArrived: (bytes) => heard.push(bytes), interrupted: () => heard.push("interrupted") })
    append()
    expect(heard).toEqual([])
    made.followerAt(2, 1)
    const { length } = batch(["x"])
    expect(heard).toEqual([length])
    made.lead({ ...withFollower, leaderEpoch: 4 })
    expect(heard).toEqual([length, "interrupted"])
  })
})

test.each([
  [withFollower, 2, true, undefined],
  [{ ...withFollower, isr: [1] }, 2, true, ErrorCode.NOT_ENOUGH_REPLICAS],
  [{ ...withFollower, isr: [1] }, 2, false, undefined],
  // No more can be asked for than there are replicas.
  [alone, 2, true, undefined],
])("20: %o with min.insync.replicas %i, acks=all %o: %o", (leadership, min, acksAll, error) => {
  const { append } = partition(leadership, min)
  expect(append(acksAll)).toMatchObject(error === undefined ? { ok: true } : { ok: false, error })
})

test.each([
  [-1, ErrorCode.NONE],
  [3, ErrorCode.NONE],
  [2, ErrorCode.FENCED_LEADER_EPOCH],
  [4, ErrorCode.UNKNOWN_LEADER_EPOCH],
])("58: a reader that believes in epoch %i", (epoch, code) => {
  expect(partition(alone).made.check(epoch)).toBe(code)
})
