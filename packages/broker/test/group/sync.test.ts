/** SyncGroup, Heartbeat, LeaveGroup. Numbers in names are rows of reference/broker.md, section 2. */
import { describe, expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import { GroupHarness, rebalanceTimeoutMs, sessionTimeoutMs } from "./group-harness.ts"

function twoJoined(g: GroupHarness): { leader: string; follower: string } {
  const joined = [g.joinTwice(), g.joinTwice()]
  g.advance(6000)
  const leader = g.expectAnswer(joined[0]!.token).leader
  return { leader, follower: joined.find(({ memberId }) => memberId !== leader)!.memberId }
}

describe("78: SyncGroup", () => {
  test("followers wait for the leader", () => {
    const g = new GroupHarness()
    const { leader, follower } = twoJoined(g)
    const waiting = g.sync(follower, 1)
    expect(g.answer(waiting)).toBeUndefined()
    const own = g.sync(leader, 1, { [leader]: "one", [follower]: "two", stranger: "three" })
    expect(new TextDecoder().decode(g.expectAnswer(own).assignment)).toBe("one")
    expect(new TextDecoder().decode(g.expectAnswer(waiting).assignment)).toBe("two")
  })

  test("who syncs late gets the assignment at once", () => {
    const g = new GroupHarness()
    const { leader, follower } = twoJoined(g)
    g.sync(leader, 1, { [follower]: "two" })
    expect(new TextDecoder().decode(g.expectAnswer(g.sync(follower, 1)).assignment)).toBe("two")
  })

  test("an empty assignment is valid", () => {
    const g = new GroupHarness()
    const { leader, follower } = twoJoined(g)
    const waiting = g.sync(follower, 1)
    g.sync(leader, 1, {})
    expect(g.expectAnswer(waiting)).toMatchObject({ errorCode: ErrorCode.NONE, assignment: new Uint8Array(0) })
    expect(g.group().state).toBe("Stable")
  })

  const refused = [
    { name: "a wrong generation", error: ErrorCode.ILLEGAL_GENERATION, generation: 2 },
    { name: "an unknown member", error: ErrorCode.UNKNOWN_MEMBER_ID, memberId: "x" },
    { name: "another protocol type", error: ErrorCode.INCONSISTENT_GROUP_PROTOCOL, protocolType: "connect" },
    { name: "an unknown instance", error: ErrorCode.UNKNOWN_MEMBER_ID, groupInstanceId: "i" },
    { name: "an unknown group", error: ErrorCode.UNKNOWN_MEMBER_ID, groupId: "other" },
    { name: "no group", error: ErrorCode.INVALID_GROUP_ID, groupId: "" },
  ]
  for (const { name, error, generation = 1, memberId, ...options } of refused) {
    test(`${name} is refused`, () => {
      const g = new GroupHarness()
      const { follower } = twoJoined(g)
      expect(g.expectAnswer(g.sync(memberId ?? follower, generation, {}, options)).errorCode).toBe(error)
    })
  }

  test("a new rebalance tells those who wait to rejoin", () => {
    const g = new GroupHarness()
    const { leader, follower } = twoJoined(g)
    const waiting = g.sync(follower, 1)
    g.leave(leader)
    expect(g.expectAnswer(waiting).errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
  })

  test("a repeated request answers the first and waits in its stead", () => {
    const g = new GroupHarness()
    const { leader, follower } = twoJoined(g)
    const first = g.sync(follower, 1)
    const second = g.sync(follower, 1)
    expect(g.expectAnswer(first).errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    g.sync(leader, 1, { [follower]: "two" })
    expect(g.expectAnswer(second).errorCode).toBe(ErrorCode.NONE)
  })

  test("the settled generation survives a restart, and its members go on", () => {
    const g = new GroupHarness()
    const [leader, follower] = g.stable(2)
    g.restart()
    expect(g.group().state).toBe("Stable")
    expect(g.heartbeat(leader!, 1)).toBe(ErrorCode.NONE)
    expect(new TextDecoder().decode(g.expectAnswer(g.sync(follower!, 1)).assignment)).toBe(`to ${follower}`)
    g.advance(sessionTimeoutMs)
    expect(g.group().members.size).toBe(0)
  })

  test("a generation that was never assigned is not there after a restart", () => {
    const g = new GroupHarness()
    const [first] = g.stable()
    g.join({ memberId: first! })
    expect(g.group().generation).toBe(2)
    g.restart()
    expect(g.heartbeat(first!, 2)).toBe(ErrorCode.ILLEGAL_GENERATION)
    expect(g.heartbeat(first!, 1)).toBe(ErrorCode.NONE)
  })
})

describe("LeaveGroup", () => {
  test("the last member leaves an empty group behind, written down", () => {
    const g = new GroupHarness()
    const [first] = g.stable()
    expect(g.leave(first!)).toBe(ErrorCode.NONE)
    expect(g.group().state).toBe("Empty")
    expect(g.group().persisted).toMatchObject({ generation: 2, members: [], leader: null })
  })

  test("a waiting member that leaves is answered", () => {
    const g = new GroupHarness()
    const [first] = g.stable()
    const { memberId, token } = g.joinTwice()
    g.leave(memberId)
    expect(g.expectAnswer(token).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect([...g.group().members.keys()]).toEqual([first])
  })

  test("a handed-out id can be given back", () => {
    const g = new GroupHarness()
    const { memberId } = g.expectAnswer(g.join())
    expect(g.leave(memberId)).toBe(ErrorCode.NONE)
    expect(g.group().pendingMembers.size).toBe(0)
  })

  test("an absent group has no members", () => {
    expect(new GroupHarness().leave("x")).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  test("before v3 the member's error is the answer's", () => {
    const g = new GroupHarness()
    g.stable()
    const token = g.ask<{ errorCode: number }>((token) => ({
      kind: "leave",
      token: token as never,
      context: { apiVersion: 2, clientId: "", clientHost: "" },
      request: { groupId: "g", memberId: "x", members: [] },
    }))
    expect(g.expectAnswer(token)).toEqual({ throttleTimeMs: 0, errorCode: ErrorCode.UNKNOWN_MEMBER_ID, members: [] })
  })

  test("the rest of the group rebalances", () => {
    const g = new GroupHarness()
    const [leader, follower] = g.stable(2)
    g.leave(leader!)
    expect(g.heartbeat(follower!, 1)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    expect(g.expectAnswer(g.join({ memberId: follower! }))).toMatchObject({ generationId: 2, leader: follower })
    g.advance(rebalanceTimeoutMs)
  })
})
