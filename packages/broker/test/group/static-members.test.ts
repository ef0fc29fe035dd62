/** Static membership (KIP-345, KIP-814). Numbers in names are rows of reference/broker.md, section 2. */
import { describe, expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import { GroupHarness, protocol, sessionTimeoutMs } from "./group-harness.ts"

/** A stable group of static members, the first leading. */
function stableStatics(g: GroupHarness, ...instances: string[]): string[] {
  const joined = instances.map((groupInstanceId) => g.join({ groupInstanceId }))
  g.advance(6000)
  const answers = joined.map((token) => g.expectAnswer(token))
  const ids = answers.map(({ memberId }) => memberId)
  const assignments = Object.fromEntries(ids.map((id, index) => [id, `to ${instances[index]}`]))
  for (const [index, id] of ids.entries()) {
    g.sync(id, 1, id === answers[0]!.leader ? assignments : {}, { groupInstanceId: instances[index]! })
  }
  expect(g.group().state).toBe("Stable")
  return ids
}

const assigned = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describe("82: a static member that comes back without its member id", () => {
  test("takes its old place in a stable group without a rebalance", () => {
    const g = new GroupHarness()
    const [leader, follower] = stableStatics(g, "a", "b")
    const back = g.expectAnswer(g.join({ groupInstanceId: "b" }))
    expect(back).toMatchObject({
      errorCode: ErrorCode.NONE,
      generationId: 1,
      leader,
      members: [],
      skipAssignment: false,
    })
    expect(back.memberId).not.toBe(follower)
    expect(g.group().state).toBe("Stable")
    const synced = g.expectAnswer(g.sync(back.memberId, 1, {}, { groupInstanceId: "b" }))
    expect(assigned(synced.assignment)).toBe("to b")
    expect(g.group().persisted?.members.map(({ memberId }) => memberId)).toContain(back.memberId)
  })

  test("fences its old self everywhere", () => {
    const g = new GroupHarness()
    const [, old] = stableStatics(g, "a", "b")
    g.join({ groupInstanceId: "b" })
    expect(g.heartbeat(old!, 1, "b")).toBe(ErrorCode.FENCED_INSTANCE_ID)
    expect(g.commit(1, { memberId: old!, generation: 1, groupInstanceId: "b" })).toBe(ErrorCode.FENCED_INSTANCE_ID)
    expect(g.leave(old!, "b")).toBe(ErrorCode.FENCED_INSTANCE_ID)
    expect(g.expectAnswer(g.sync(old!, 1, {}, { groupInstanceId: "b" })).errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
    expect(g.expectAnswer(g.join({ memberId: old!, groupInstanceId: "b" })).errorCode).toBe(
      ErrorCode.FENCED_INSTANCE_ID,
    )
  })

  test("leads again when it led (KAFKA-8500), and from v9 skips the assignment", () => {
    const g = new GroupHarness()
    stableStatics(g, "a", "b")
    const back = g.expectAnswer(g.join({ groupInstanceId: "a" }))
    expect(back).toMatchObject({ leader: back.memberId, skipAssignment: true, generationId: 1 })
    expect(back.members).toHaveLength(2)
  })

  test("before v9 is told that its old self leads, so that it does not assign", () => {
    const g = new GroupHarness()
    const [old] = stableStatics(g, "a", "b")
    const back = g.expectAnswer(g.join({ groupInstanceId: "a", apiVersion: 8 }))
    expect(back).toMatchObject({ leader: old, skipAssignment: false, members: [] })
    expect(g.group().leader).toBe(back.memberId)
  })

  test("has the group rebalance when another protocol would be chosen", () => {
    const g = new GroupHarness()
    const both = [protocol("range"), protocol("sticky")]
    const token = g.join({ groupInstanceId: "a", protocols: both })
    g.advance(3000)
    g.sync(g.expectAnswer(token).memberId, 1, {}, { groupInstanceId: "a" })
    g.join({ groupInstanceId: "a", protocols: both.toReversed() })
    expect(g.group().generation).toBe(2)
    expect(g.group().protocol).toBe("sticky")
  })

  test("has the group rebalance in CompletingRebalance (KAFKA-9801)", () => {
    const g = new GroupHarness()
    const [a, b] = [g.join({ groupInstanceId: "a" }), g.join({ groupInstanceId: "b" })]
    g.advance(6000)
    const waiting = g.sync(g.expectAnswer(b).memberId, 1, {}, { groupInstanceId: "b" })
    const back = g.join({ groupInstanceId: "b" })
    expect(g.expectAnswer(waiting).errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
    expect(g.group().state).toBe("PreparingRebalance")
    expect(g.answer(back)).toBeUndefined()
    g.join({ memberId: g.expectAnswer(a).memberId, groupInstanceId: "a" })
    expect(g.expectAnswer(back).generationId).toBe(2)
  })

  test("takes the place of its old self that waits in JoinGroup", () => {
    const g = new GroupHarness()
    const old = g.join({ groupInstanceId: "a" })
    const back = g.join({ groupInstanceId: "a" })
    expect(g.expectAnswer(old).errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
    g.advance(3000)
    expect(g.expectAnswer(back)).toMatchObject({ errorCode: ErrorCode.NONE, generationId: 1 })
  })
})

describe("82: leaving", () => {
  test("a static member is removed by its instance id alone", () => {
    const g = new GroupHarness()
    stableStatics(g, "a", "b")
    expect(g.leave("", "b")).toBe(ErrorCode.NONE)
    expect(g.group().members.size).toBe(1)
    expect(g.leave("", "b")).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  test("a closed one that did not leave keeps its place until its session ends", () => {
    const g = new GroupHarness()
    const [leader, follower] = stableStatics(g, "a", "b")
    g.advance(sessionTimeoutMs - 1)
    g.heartbeat(leader!, 1, "a")
    expect(g.group().members.has(follower!)).toBe(true)
    g.advance(1)
    expect(g.group().members.has(follower!)).toBe(false)
  })

  test("one that is absent from a rebalance is in the next generation still", () => {
    const g = new GroupHarness()
    const long = { sessionTimeoutMs: 1_000_000, rebalanceTimeoutMs: 60_000 }
    const joined = ["a", "b"].map((groupInstanceId) => g.join({ groupInstanceId, ...long }))
    g.advance(6000)
    const [a, b] = joined.map((token) => g.expectAnswer(token).memberId)
    const token = g.join({ memberId: a!, groupInstanceId: "a", protocols: [protocol("range", "new")], ...long })
    g.advance(60_000)
    expect(g.expectAnswer(token).members.map(({ memberId }) => memberId)).toEqual([a, b])
  })

  test("when nobody but absent static members is left, the rebalance waits for one of them", () => {
    const g = new GroupHarness()
    const long = { sessionTimeoutMs: 1_000_000, rebalanceTimeoutMs: 60_000 }
    const joined = ["a", "b"].map((groupInstanceId) => g.join({ groupInstanceId, ...long }))
    g.advance(6000)
    const [a, b] = joined.map((token) => g.expectAnswer(token).memberId)
    g.leave(a!, "a")
    g.advance(120_000)
    expect(g.group().state).toBe("PreparingRebalance")
    const back = g.join({ memberId: b!, groupInstanceId: "b", ...long })
    expect(g.expectAnswer(back)).toMatchObject({ generationId: 2, leader: b })
  })
})
