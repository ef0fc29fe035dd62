import { describe, expect, test } from "vitest"
import { ErrorCode, errorCodes } from "@millrace/protocol"
import { Membership, type MembershipStep } from "../../src/group/membership.ts"

/** A connection. */
const HERE = "here"

/** Joined, without its assignment yet. */
function joining(): Membership {
  const membership = new Membership("g")
  membership.joining()
  membership.onJoin({ errorCode: ErrorCode.NONE, memberId: "m-1", generationId: 5 }, HERE)
  return membership
}

function joined(): Membership {
  const membership = joining()
  membership.onSync(ErrorCode.NONE, HERE)
  return membership
}

const code = ErrorCode

test("a new member gets its id first, then its generation", () => {
  const membership = new Membership("g")
  expect(membership.rejoinReason).toBeDefined()
  membership.joining()
  expect(membership.onJoin({ errorCode: code.MEMBER_ID_REQUIRED, memberId: "m-1", generationId: -1 }, HERE)).toBe(
    "again",
  )
  expect([membership.memberId, membership.isJoined]).toEqual(["m-1", false])
  expect(membership.onJoin({ errorCode: code.NONE, memberId: "m-1", generationId: 1 }, HERE)).toBe("done")
  expect([membership.generation, membership.isJoined, membership.rejoinReason]).toEqual([1, true, undefined])
})

describe("heartbeats", () => {
  //      code                                step            memberId  generation lost
  test.each<[number, MembershipStep, string, number, boolean]>([
    [code.NONE, "done", "m-1", 5, false],
    [code.REBALANCE_IN_PROGRESS, "rejoin", "m-1", 5, false],
    [code.ILLEGAL_GENERATION, "rejoin", "m-1", -1, true],
    [code.UNKNOWN_MEMBER_ID, "rejoin", "", -1, true],
    [code.NOT_COORDINATOR, "coordinator", "m-1", 5, false],
    [code.COORDINATOR_NOT_AVAILABLE, "coordinator", "m-1", 5, false],
    [code.COORDINATOR_LOAD_IN_PROGRESS, "backoff", "m-1", 5, false],
    [code.FENCED_INSTANCE_ID, "fatal", "m-1", -1, true],
    [code.GROUP_AUTHORIZATION_FAILED, "fatal", "m-1", 5, false],
  ])("code %i leads to %s", (errorCode, step, memberId, generation, lost) => {
    const membership = joined()
    expect(membership.onHeartbeat(errorCode, 5, HERE)).toBe(step)
    expect([membership.memberId, membership.generation, membership.takeLost()]).toEqual([memberId, generation, lost])
    expect(membership.rejoinReason !== undefined).toBe(step === "rejoin")
    expect(membership.fatal !== undefined).toBe(step === "fatal")
  })

  test("an answer to an older generation changes nothing", () => {
    const membership = joined()
    for (const errorCode of errorCodes()) expect(membership.onHeartbeat(errorCode, 4, HERE)).toBe("done")
    expect([membership.memberId, membership.generation, membership.takeLost()]).toEqual(["m-1", 5, false])
  })
})

test.each<[number, string]>([
  [code.UNKNOWN_MEMBER_ID, ""],
  [code.ILLEGAL_GENERATION, "m-1"],
])("a member that joins again and hears code %i has lost its partitions", (errorCode, memberId) => {
  const membership = joined()
  expect(membership.onJoin({ errorCode, memberId: "", generationId: -1 }, HERE)).toBe("again")
  expect([membership.memberId, membership.generation, membership.takeLost()]).toEqual([memberId, -1, true])
})

describe("another member has the instance id", () => {
  const fenced = { errorCode: code.FENCED_INSTANCE_ID, memberId: "", generationId: -1 }
  const steps = {
    joining: (one: Membership, connection: string) => one.onJoin(fenced, connection),
    syncing: (one: Membership, connection: string) => one.onSync(fenced.errorCode, connection),
    heartbeats: (one: Membership, connection: string) => one.onHeartbeat(fenced.errorCode, 5, connection),
  }
  const again = { joining: "again", syncing: "again", heartbeats: "rejoin" } as const

  test.each(Object.entries(steps))(
    "is for good where the coordinator that says so has known this one: %s",
    (_, step) => {
      for (const one of [joining(), joined()])
        expect([step(one, HERE), one.fatal?.code, one.takeLost()]).toEqual(["fatal", code.FENCED_INSTANCE_ID, true])
      const moved = joined()
      moved.onHeartbeat(code.NONE, 5, "there")
      expect(step(moved, "there")).toBe("fatal")
    },
  )

  test.each(Object.entries(steps))("is taken back from its successor, which may have forgotten: %s", (name, step) => {
    for (const one of [joining(), joined()]) {
      expect(step(one, "there")).toBe(again[name as keyof typeof again])
      expect([one.memberId, one.fatal, one.takeLost()]).toEqual(["", undefined, true])
    }
  })

  test("and an answer to a commit leaves that to the next JoinGroup", () => {
    const one = joined()
    expect([one.onCommit(fenced.errorCode, 5), one.memberId, one.fatal]).toEqual(["rejoin", "m-1", undefined])
    expect([one.takeLost(), one.rejoinReason]).toEqual([true, expect.stringContaining("another member")])
    expect(one.onJoin(fenced, HERE)).toBe("fatal")
  })
})

describe("syncing", () => {
  test.each<[number, MembershipStep, string]>([
    [code.NONE, "done", "m-1"],
    [code.REBALANCE_IN_PROGRESS, "rejoin", "m-1"],
    [code.ILLEGAL_GENERATION, "rejoin", "m-1"],
    [code.UNKNOWN_MEMBER_ID, "rejoin", ""],
    [code.NOT_COORDINATOR, "coordinator", "m-1"],
    [code.FENCED_INSTANCE_ID, "fatal", "m-1"],
  ])("code %i leads to %s", (errorCode, step, memberId) => {
    const membership = joined()
    expect(membership.onSync(errorCode, HERE)).toBe(step)
    expect(membership.memberId).toBe(memberId)
    expect(membership.rejoinReason !== undefined).toBe(errorCode !== code.NONE && step !== "fatal")
  })
})

test("every code has a meaning in every place", () => {
  for (const errorCode of errorCodes()) {
    expect(() => joined().onHeartbeat(errorCode, 5, HERE)).not.toThrow()
    expect(() => joined().onSync(errorCode, HERE)).not.toThrow()
    expect(() => joined().onJoin({ errorCode, memberId: "m-2", generationId: 6 }, HERE)).not.toThrow()
  }
})

test("who leaves has lost its partitions and joins anew", () => {
  const membership = joined()
  membership.left("no poll for too long")
  expect([membership.memberId, membership.generation, membership.isJoined]).toEqual(["", -1, false])
  expect([membership.takeLost(), membership.takeLost()]).toEqual([true, false])
  expect(membership.rejoinReason).toBe("no poll for too long")
})
