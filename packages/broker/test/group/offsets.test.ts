/** Committed offsets. Numbers in names are rows of reference/broker.md, section 2. */
import { describe, expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import { GroupHarness } from "./group-harness.ts"

const dayMs = 86_400_000

describe("45: a transactional commit", () => {
  const cases = [
    { name: "of a member", error: ErrorCode.NONE, member: true, generation: 1 },
    { name: "of an old generation", error: ErrorCode.ILLEGAL_GENERATION, member: true, generation: 0 },
    { name: "of a stranger", error: ErrorCode.UNKNOWN_MEMBER_ID, member: false, generation: 1 },
    { name: "of an unknown instance", error: ErrorCode.UNKNOWN_MEMBER_ID, member: true, generation: 1, instance: "i" },
    { name: "of nobody in particular", error: ErrorCode.NONE, member: undefined, generation: -1 },
  ]
  for (const { name, error, member, generation, instance = null } of cases) {
    test(`${name} gets ${error}`, () => {
      const g = new GroupHarness()
      const [memberId] = g.stable()
      const who = member === undefined ? "" : member ? memberId! : "x"
      expect(g.commit(1, { producerId: 7, memberId: who, generation, groupInstanceId: instance })).toBe(error)
    })
  }

  test("of a fenced static member is refused", () => {
    const g = new GroupHarness()
    const token = g.join({ groupInstanceId: "i" })
    g.advance(3000)
    const { memberId } = g.expectAnswer(token)
    g.sync(memberId, 1, {}, { groupInstanceId: "i" })
    g.join({ groupInstanceId: "i" })
    const error = g.commit(1, { producerId: 7, memberId, generation: 1, groupInstanceId: "i" })
    expect(error).toBe(ErrorCode.FENCED_INSTANCE_ID)
  })

  test("for an absent group claims a generation in vain", () => {
    const g = new GroupHarness()
    expect(g.commit(1, { producerId: 7, generation: 1, memberId: "m" })).toBe(ErrorCode.ILLEGAL_GENERATION)
  })
})

describe("46: an offset in an open transaction", () => {
  for (const [name, end] of [
    ["commit", true],
    ["abort", false],
  ] as const) {
    test(`is unstable until its ${name}`, () => {
      const g = new GroupHarness()
      g.commit(1)
      g.commit(2, { producerId: 7 })
      expect(g.fetchOne(true)).toEqual({ offset: -1, error: ErrorCode.UNSTABLE_OFFSET_COMMIT })
      expect(g.fetchOne(false)).toEqual({ offset: 1, error: ErrorCode.NONE })
      g.restart()
      expect(g.fetchOne(true).error).toBe(ErrorCode.UNSTABLE_OFFSET_COMMIT)
      g.marker(7, end)
      expect(g.fetchOne(true)).toEqual({ offset: end ? 2 : 1, error: ErrorCode.NONE })
    })
  }

  test("is unstable while any of several producers is open", () => {
    const g = new GroupHarness()
    g.commit(2, { producerId: 7 })
    g.commit(3, { producerId: 8 })
    g.marker(7, true)
    expect(g.fetchOne(true).error).toBe(ErrorCode.UNSTABLE_OFFSET_COMMIT)
    g.marker(8, false)
    expect(g.fetchOne(true)).toEqual({ offset: 2, error: ErrorCode.NONE })
  })

  test("leaves other partitions stable", () => {
    const g = new GroupHarness()
    g.commit(2, { producerId: 7, partition: 1 })
    g.commit(5)
    expect(g.fetchOne(true)).toEqual({ offset: 5, error: ErrorCode.NONE })
  })
})

describe("47: transactional and plain commits", () => {
  test("a plain commit behind the transactional one wins, though its marker comes later", () => {
    const g = new GroupHarness()
    g.commit(10, { producerId: 7 })
    g.commit(20)
    g.marker(7, true)
    expect(g.fetchOne()).toEqual({ offset: 20, error: ErrorCode.NONE })
  })

  test("all offsets of a transaction appear at its marker", () => {
    const g = new GroupHarness()
    for (const partition of [0, 1, 2]) g.commit(partition + 1, { producerId: 7, partition })
    const topics = [{ name: "t", partitions: [0, 1, 2] }]
    const offsets = () => g.fetch({ topics }).topics[0]?.partitions.map(({ committedOffset }) => committedOffset)
    expect(offsets()).toEqual([-1, -1, -1])
    g.marker(7, true)
    expect(offsets()).toEqual([1, 2, 3])
  })

  test("a marker without pending offsets, or repeated, changes nothing", () => {
    const g = new GroupHarness()
    g.commit(10, { producerId: 7 })
    g.marker(7, true)
    g.commit(11)
    g.marker(7, true)
    g.marker(9, false)
    expect(g.fetchOne().offset).toBe(11)
  })
})

describe("79: who may commit", () => {
  test("in PreparingRebalance a member of the generation may, and it keeps its session", () => {
    const g = new GroupHarness()
    const [leader, follower] = g.stable(2)
    g.join({ memberId: leader! })
    for (let commits = 0; commits < 3; commits++) {
      g.advance(9999)
      expect(g.commit(1, { memberId: follower!, generation: 1 })).toBe(ErrorCode.NONE)
    }
  })

  test("in CompletingRebalance it is told to wait", () => {
    const g = new GroupHarness()
    const { memberId } = g.joinTwice()
    g.advance(3000)
    expect(g.commit(1, { memberId, generation: 1 })).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    expect(g.commit(1, { memberId, generation: 1, producerId: 7 })).toBe(ErrorCode.NONE)
  })

  test("without membership only while the group is empty", () => {
    const g = new GroupHarness()
    expect(g.commit(1)).toBe(ErrorCode.NONE)
    const [memberId] = g.stable()
    expect(g.commit(2)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    g.leave(memberId!)
    expect(g.commit(3)).toBe(ErrorCode.NONE)
    expect(g.fetchOne().offset).toBe(3)
  })

  test("a wrong generation is refused, an absent group by version", () => {
    const g = new GroupHarness()
    const [memberId] = g.stable()
    expect(g.commit(1, { memberId: memberId!, generation: 2 })).toBe(ErrorCode.ILLEGAL_GENERATION)
    const absent = { groupId: "other", memberId: "m", generation: 1 }
    expect(g.commit(1, { ...absent, apiVersion: 8 })).toBe(ErrorCode.ILLEGAL_GENERATION)
    expect(g.commit(1, { ...absent, apiVersion: 9 })).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
  })
})

describe("80: metadata and leader epoch", () => {
  test("come back as they went, also after a restart", () => {
    const g = new GroupHarness()
    g.commit(5, { metadata: "näh", leaderEpoch: 9 })
    g.restart()
    expect(g.fetch().topics[0]?.partitions[0]).toEqual({
      partitionIndex: 0,
      committedOffset: 5,
      committedLeaderEpoch: 9,
      metadata: "näh",
      errorCode: ErrorCode.NONE,
    })
  })

  test("no metadata is empty metadata", () => {
    const g = new GroupHarness()
    g.commit(5, { metadata: null })
    expect(g.fetch().topics[0]?.partitions[0]?.metadata).toBe("")
  })

  test("too much of it is refused, for its partition alone", () => {
    const g = new GroupHarness()
    expect(g.commit(5, { metadata: "x".repeat(4096) })).toBe(ErrorCode.NONE)
    expect(g.commit(6, { metadata: "x".repeat(4097) })).toBe(ErrorCode.OFFSET_METADATA_TOO_LARGE)
    expect(g.fetchOne().offset).toBe(5)
  })
})

describe("81: OffsetFetch", () => {
  test("unknown partitions and groups have offset -1 and no error", () => {
    const g = new GroupHarness()
    expect(g.fetch({ groupId: "absent" })).toMatchObject({
      errorCode: ErrorCode.NONE,
      topics: [
        { name: "t", partitions: [{ committedOffset: -1, committedLeaderEpoch: -1, metadata: "", errorCode: 0 }] },
      ],
    })
  })

  test("null topics are all topics", () => {
    const g = new GroupHarness()
    g.commit(1, { topic: "a" })
    g.commit(2, { topic: "b", partition: 3 })
    const { topics } = g.fetch({ topics: null })
    expect(
      topics.map(({ name, partitions }) => [name, partitions.map(({ committedOffset }) => committedOffset)]),
    ).toEqual([
      ["a", [1]],
      ["b", [2]],
    ])
    expect(g.fetch({ groupId: "absent", topics: null }).topics).toEqual([])
  })
})

describe("85: expiry", () => {
  test("a group's offsets expire seven days after it became empty, not after their commit", () => {
    const g = new GroupHarness()
    const [memberId] = g.stable(1, { sessionTimeoutMs: 1_800_000 })
    g.commit(1, { memberId: memberId!, generation: 1 })
    for (let beats = 0; beats < (8 * dayMs) / 1_799_000; beats++) {
      g.advance(1_799_000)
      expect(g.heartbeat(memberId!, 1)).toBe(ErrorCode.NONE)
    }
    expect(g.fetchOne().offset).toBe(1)
    g.leave(memberId!)
    g.advance(7 * dayMs - 1000)
    expect(g.fetchOne().offset).toBe(1)
    g.advance(1000 + 600_000)
    expect(g.fetchOne().offset).toBe(-1)
    expect(g.shard.state.groups.has("g")).toBe(false)
  })

  test("offsets of a group without members expire after their commit", () => {
    const g = new GroupHarness()
    g.commit(1)
    g.advance(6 * dayMs)
    g.commit(2, { partition: 1 })
    g.advance(1.5 * dayMs)
    const { partitions } = g.fetch({ topics: [{ name: "t", partitions: [0, 1] }] }).topics[0]!
    expect(partitions.map(({ committedOffset }) => committedOffset)).toEqual([-1, 2])
  })

  test("an offset with its own retention expires by it", () => {
    const g = new GroupHarness()
    g.commit(1, { retentionTimeMs: 1000, apiVersion: 2 })
    g.restart()
    g.advance(600_000)
    expect(g.fetchOne().offset).toBe(-1)
  })

  test("a pending transaction keeps offset and group", () => {
    const g = new GroupHarness()
    g.commit(1)
    g.commit(2, { producerId: 7 })
    g.advance(10 * dayMs)
    expect(g.fetchOne().offset).toBe(1)
    expect(g.shard.state.groups.has("g")).toBe(true)
  })
})
