/** The runtime around a shard, with groups as the shard: loading, batching, waiting for the high watermark, failures. */
import { describe, expect, test } from "vitest"
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import { batches } from "@millrace/protocol/record/batch"
import type { ConfigOf, GroupCoordinatorConfig } from "../../src/group/config.ts"
import { GroupCoordinatorService } from "../../src/group/service.ts"
import { noTopics, testConfig, testGroupConfig } from "../group/group-harness.ts"
import { MemoryLog } from "./memory-log.ts"
import { pass, settled, startClock } from "./passing-time.ts"

const context = { apiVersion: 8, clientId: "c", clientHost: "/127.0.0.1" }
let seed = 0
const random = {
  float: () => 0.5,
  int: () => 0,
  bytes: (length: number) => Uint8Array.from({ length }, (_, index) => (seed++ * 31 + index) & 255),
}

function start(
  log = new MemoryLog(),
  clock = startClock(),
  config: Partial<GroupCoordinatorConfig> = {},
  configOf: ConfigOf = () => testGroupConfig,
) {
  const faults: unknown[] = []
  const defects: unknown[] = []
  const groups = new GroupCoordinatorService({
    log,
    clock,
    random,
    config: Object.defineProperties({ ...testConfig }, Object.getOwnPropertyDescriptors(config)),
    configOf,
    topics: noTopics,
    fault: (_, error) => faults.push(error),
    defect: (_, error) => defects.push(error),
  })
  groups.onElection(0, 1)
  const commit = (groupId: string, offset: number, metadata = "") =>
    groups.offsetCommit(context, {
      groupId,
      generationIdOrMemberEpoch: -1,
      memberId: "",
      groupInstanceId: null,
      retentionTimeMs: -1,
      topics: [topic(offset, metadata)],
    })
  const txnCommit = (groupId: string, offset: number, producerId: number) =>
    groups.txnOffsetCommit(context, {
      transactionalId: "tx",
      groupId,
      producerId,
      producerEpoch: 3,
      generationIdOrMemberEpoch: -1,
      memberId: "",
      groupInstanceId: null,
      topics: [topic(offset, "")],
    })
  const fetch = async (groupId: string, requireStable = false) => {
    const { topics, errorCode } = await groups.offsetFetch(
      { ...context, apiVersion: 7 },
      { groupId, topics: [{ name: "t", partitionIndexes: [0] }], groups: [], requireStable },
    )
    const partition = topics[0]?.partitions[0]
    return { offset: partition?.committedOffset, error: partition?.errorCode || errorCode }
  }
  const join = (groupId: string, memberId: string, memberEpoch = 0) =>
    groups.consumerGroupHeartbeat(
      { ...context, apiVersion: 1 },
      {
        ...{ groupId, memberId, memberEpoch, instanceId: null, rackId: null, rebalanceTimeoutMs: 60_000 },
        ...{ subscribedTopicNames: ["t"], subscribedTopicRegex: null, serverAssignor: null, topicPartitions: [] },
      },
      () => true,
    )
  return { log, clock, groups, commit, txnCommit, fetch, join, faults, defects }
}

function topic(committedOffset: number, committedMetadata: string) {
  const partition = { partitionIndex: 0, committedOffset, committedLeaderEpoch: -1, committedMetadata }
  return { name: "t", topicId: ZERO_UUID, partitions: [partition] }
}

const errorOf = ({ topics }: { topics: { partitions: { errorCode: number }[] }[] }) =>
  topics[0]?.partitions[0]?.errorCode

/** Whether a promise is settled by now. */
async function pending(promise: Promise<unknown>): Promise<boolean> {
  let open = true
  void promise.then(() => (open = false))
  await settled()
  return open
}

describe("appending", () => {
  test("requests of one turn make one batch", async () => {
    const { log, commit } = start()
    await Promise.all([commit("a", 1), commit("b", 2), commit("c", 3)])
    expect(log.appends).toHaveLength(1)
    const [batch, ...others] = batches(log.appends[0]!)
    expect([batch?.recordCount, others.length]).toEqual([3, 0])
  })

  test("a batch is never larger than the topic takes, and a decision never split over two", async () => {
    const { log, commit, fetch } = start()
    log.batchBytesMax = 400
    const metadata = "x".repeat(150)
    await Promise.all([commit("a", 1, metadata), commit("b", 2, metadata), commit("c", 3, metadata)])
    expect(log.appends).toHaveLength(1)
    const made = [...batches(log.appends[0]!)]
    expect(made.length).toBeGreaterThan(1)
    for (const { sizeInBytes } of made) expect(sizeInBytes).toBeLessThanOrEqual(400)
    expect(await fetch("c")).toEqual({ offset: 3, error: ErrorCode.NONE })
  })

  test("a decision that is too large for any batch is refused alone", async () => {
    const { log, commit, fetch } = start()
    log.batchBytesMax = 400
    const [small, large] = await Promise.all([commit("a", 1), commit("b", 2, "x".repeat(500))])
    expect([errorOf(small), errorOf(large)]).toEqual([ErrorCode.NONE, ErrorCode.INVALID_COMMIT_OFFSET_SIZE])
    expect(await fetch("b")).toMatchObject({ offset: -1 })
    expect(await fetch("a")).toMatchObject({ offset: 1 })
  })

  test("a failed append leaves no trace and answers each request of the turn", async () => {
    const { log, commit, fetch } = start()
    await commit("a", 1)
    log.failNext(ErrorCode.NOT_ENOUGH_REPLICAS)
    const [first, second] = await Promise.all([commit("a", 2), commit("b", 3)])
    expect([errorOf(first), errorOf(second)]).toEqual(Array(2).fill(ErrorCode.COORDINATOR_NOT_AVAILABLE))
    expect(await fetch("a")).toMatchObject({ offset: 1 })
    expect(await fetch("b")).toMatchObject({ offset: -1 })
    expect(errorOf(await commit("a", 4))).toBe(ErrorCode.NONE)
  })

  test("a producer that the log fences takes nobody down with it", async () => {
    const { log, commit, txnCommit } = start()
    const requests = [commit("a", 1), txnCommit("b", 2, 7), commit("c", 3)]
    const append = log.append.bind(log)
    log.append = (partition, bytes, epoch) => {
      const [batch] = batches(bytes)
      return batch?.isTransactional
        ? { ok: false, error: ErrorCode.INVALID_PRODUCER_EPOCH }
        : append(partition, bytes, epoch)
    }
    const errors = (await Promise.all(requests)).map(errorOf)
    expect(errors).toEqual([ErrorCode.NONE, ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.NONE])
  })

  test("a timer's decision that could not be appended is tried again", async () => {
    const { log, clock, commit, fetch } = start()
    await commit("a", 1)
    log.failNext()
    await pass(clock, 7 * 86_400_000 + 600_000)
    await pass(clock, 1000)
    expect(await fetch("a")).toMatchObject({ offset: -1 })
  })
})

describe("a decision that throws", () => {
  /** Settings that cannot be read while they are broken: whether the last member's group changes over, and its sessions. */
  function breakable() {
    const broken = { isPolicy: false, isSession: false }
    const config = {
      get "group.consumer.migration.policy"(): "disabled" {
        if (broken.isPolicy) throw new Error("no policy")
        return "disabled"
      },
    }
    const configOf = () => {
      if (broken.isSession) throw new Error("no session")
      return testGroupConfig
    }
    return { broken, ...start(new MemoryLog(), startClock(), config, configOf) }
  }

  test("is taken back, told to who asked, and takes nobody down with it", async () => {
    const { broken, join, commit, fetch, defects, groups } = breakable()
    broken.isSession = true
    const [first, failed, second] = await Promise.all([commit("a", 1), join("g", "m"), commit("b", 2)])
    expect([errorOf(first), failed.errorCode, errorOf(second)]).toEqual([
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_SERVER_ERROR,
      ErrorCode.NONE,
    ])
    expect(defects).toEqual([new Error("no session")])
    const { groups: listed } = await groups.listGroups(
      { ...context, apiVersion: 5 },
      { statesFilter: [], typesFilter: [] },
    )
    expect(listed.map(({ groupId }) => groupId).sort()).toEqual(["a", "b"])
    broken.isSession = false
    expect(await join("g", "m")).toMatchObject({ errorCode: ErrorCode.NONE, memberEpoch: 1 })
    expect(await fetch("b")).toMatchObject({ offset: 2 })
  })

  test("of a timer is tried again", async () => {
    const { broken, join, clock, defects } = breakable()
    const { memberEpoch } = await join("g", "m")
    broken.isPolicy = true
    await pass(clock, testGroupConfig["consumer.session.timeout.ms"])
    expect(defects).toEqual([new Error("no policy")])
    broken.isPolicy = false
    await pass(clock, 500)
    expect(defects).toHaveLength(1)
    expect(await join("g", "m", memberEpoch)).toMatchObject({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID })
  })

  test("while the log is loaded leaves the partition to nobody, as a log does that cannot be read", async () => {
    const { log, join } = start()
    await join("g", "m")
    const again = start(log, startClock(), {}, () => {
      throw new Error("no session")
    })
    await pass(again.clock, 10)
    expect(again.faults).toEqual([new Error("no session")])
    expect(errorOf(await again.commit("a", 1))).toBe(ErrorCode.NOT_COORDINATOR)
  })
})

describe("answers", () => {
  test("wait for the high watermark, those that only read included", async () => {
    const { log, groups, commit, fetch } = start()
    log.hold()
    const written = commit("a", 1)
    expect(await pending(written)).toBe(true)
    const read = fetch("a")
    expect(await pending(read)).toBe(true)
    groups.onHighWatermark(0, log.release())
    expect(errorOf(await written)).toBe(ErrorCode.NONE)
    expect(await read).toMatchObject({ offset: 1 })
  })

  test("do not wait longer than offsets.commit.timeout.ms, though the records may still be committed", async () => {
    const { log, clock, groups, commit, fetch } = start()
    log.hold()
    const written = commit("a", 1)
    await pass(clock, 5000)
    expect(errorOf(await written)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    groups.onHighWatermark(0, log.release())
    expect(await fetch("a")).toMatchObject({ offset: 1 })
  })

  test("of a partition that is led elsewhere name that, and of an absent topic that too", async () => {
    const { log, groups, commit } = start()
    const waiting = commit("a", 1)
    groups.onResignation(0)
    expect(errorOf(await waiting)).toBe(ErrorCode.NOT_COORDINATOR)
    expect(errorOf(await commit("a", 1))).toBe(ErrorCode.NOT_COORDINATOR)
    log.count = 0
    expect(errorOf(await commit("a", 1))).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(groups.partitionFor("a")).toBeUndefined()
  })

  test("that are parked are given when the coordinator moves", async () => {
    const { clock, groups } = start()
    const join = groups.joinGroup(
      { ...context, apiVersion: 3 },
      {
        groupId: "g",
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        memberId: "",
        groupInstanceId: null,
        protocolType: "consumer",
        protocols: [{ name: "range", metadata: new Uint8Array(0) }],
        reason: null,
      },
    )
    expect(await pending(join)).toBe(true)
    groups.onResignation(0)
    expect(await join).toMatchObject({ errorCode: ErrorCode.NOT_COORDINATOR, protocolName: "" })
    expect(clock.timerCount).toBe(0)
  })
})

describe("loading", () => {
  test("replays what was written, transactions and their ends too", async () => {
    const { log, groups, commit, txnCommit } = start()
    await commit("a", 1)
    await txnCommit("b", 2, 7)
    await txnCommit("c", 3, 8)
    await txnCommit("d", 4, 9)
    await groups.completeTransaction(0, { producerId: 7, producerEpoch: 3, commit: true, coordinatorEpoch: 0 })
    await groups.completeTransaction(0, { producerId: 8, producerEpoch: 3, commit: false, coordinatorEpoch: 0 })
    const again = start(log)
    await pass(again.clock, 10)
    expect(await again.fetch("a", true)).toEqual({ offset: 1, error: ErrorCode.NONE })
    expect(await again.fetch("b", true)).toEqual({ offset: 2, error: ErrorCode.NONE })
    expect(await again.fetch("c", true)).toEqual({ offset: -1, error: ErrorCode.NONE })
    expect(await again.fetch("d", true)).toEqual({ offset: -1, error: ErrorCode.UNSTABLE_OFFSET_COMMIT })
  })

  test("answers COORDINATOR_LOAD_IN_PROGRESS until it is done, and heartbeats as if all were well", async () => {
    const { log, commit } = start()
    await commit("a", 1)
    await commit("a", 2)
    const again = start(log)
    expect(errorOf(await again.commit("a", 3))).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    const beat = { groupId: "a", memberId: "m", generationId: 1, groupInstanceId: null }
    expect(await again.groups.heartbeat(context, beat)).toMatchObject({ errorCode: ErrorCode.NONE })
    const marker = { producerId: 7, producerEpoch: 0, commit: true, coordinatorEpoch: 0 }
    expect(await again.groups.completeTransaction(0, marker)).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    await pass(again.clock, 10)
    expect(await again.fetch("a")).toMatchObject({ offset: 2 })
  })

  test("of a log that cannot be read is a fault, and its groups are not here", async () => {
    const { log, commit } = start()
    await commit("a", 1)
    log.read = () => {
      throw new Error("the disk is gone")
    }
    const again = start(log)
    expect(again.faults).toHaveLength(1)
    expect(errorOf(await again.commit("a", 1))).toBe(ErrorCode.NOT_COORDINATOR)
  })

  test("a marker that the log refuses changes nothing", async () => {
    const { log, groups, txnCommit, fetch } = start()
    await txnCommit("a", 2, 7)
    log.failNext(ErrorCode.NOT_ENOUGH_REPLICAS)
    const marker = { producerId: 7, producerEpoch: 3, commit: true, coordinatorEpoch: 0 }
    expect(await groups.completeTransaction(0, marker)).toBe(ErrorCode.NOT_ENOUGH_REPLICAS)
    expect(await fetch("a", true)).toMatchObject({ error: ErrorCode.UNSTABLE_OFFSET_COMMIT })
    expect(await groups.completeTransaction(0, marker)).toBe(ErrorCode.NONE)
    expect(await fetch("a", true)).toMatchObject({ offset: 2 })
  })
})

describe("while the thread is busy timers fire late", () => {
  const GROUP = "g"

  /** A group whose only member was last heard of when it joined. */
  async function startWithMember() {
    const started = start()
    await pass(started.clock, 0)
    const { memberId, memberEpoch } = await started.join(GROUP, "m")
    const timeoutMs = testGroupConfig["consumer.session.timeout.ms"]
    expect(memberEpoch).toBeGreaterThan(0)
    return { ...started, memberId: memberId!, memberEpoch, timeoutMs }
  }
  const listed = async ({ groups }: Pick<ReturnType<typeof start>, "groups">) =>
    (await groups.listGroups(context, { statesFilter: [], typesFilter: [] })).groups.map(({ groupState }) => groupState)

  test("who should have been heard of by now is not in the group that is deleted, listed or described", async () => {
    const { clock, groups, timeoutMs } = await startWithMember()
    clock.stall(timeoutMs - 1)
    expect((await groups.deleteGroups(context, { groupsNames: [GROUP] })).results[0]!.errorCode).toBe(
      ErrorCode.NON_EMPTY_GROUP,
    )
    expect(await listed({ groups })).toEqual(["Stable"])
    clock.stall(1)
    expect(await listed({ groups })).toEqual(["Empty"])
    expect((await groups.deleteGroups(context, { groupsNames: [GROUP] })).results[0]!.errorCode).toBe(ErrorCode.NONE)
    // The timer fires at last, and finds nothing to do.
    await pass(clock, 0)
    expect(await listed({ groups })).toEqual([])
  })

  test("however many ask in one turn, it is looked for once", async () => {
    const { clock, groups, timeoutMs } = await startWithMember()
    clock.stall(timeoutMs)
    let looks = 0
    const monotonic = clock.monotonic.bind(clock)
    clock.monotonic = () => {
      looks++
      return monotonic()
    }
    const lists = await Promise.all(Array.from({ length: 20 }, () => listed({ groups })))
    for (const states of lists) expect(states).toEqual(["Empty"])
    expect(looks).toBe(1)
  })

  test("who is heard of before, late as it is, counts", async () => {
    const { clock, groups, join, timeoutMs, memberEpoch } = await startWithMember()
    clock.stall(timeoutMs + 1)
    const beat = join(GROUP, "m", memberEpoch)
    const deletion = groups.deleteGroups(context, { groupsNames: [GROUP] })
    expect((await beat).errorCode).toBe(ErrorCode.NONE)
    expect((await deletion).results[0]!.errorCode).toBe(ErrorCode.NON_EMPTY_GROUP)
    await pass(clock, timeoutMs - 1)
    expect(await listed({ groups })).toEqual(["Stable"])
  })
})
