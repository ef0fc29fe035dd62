import { describe, expect, test } from "vitest"
import { ErrorCode, errorCodes } from "@millrace/protocol"
import { Membership, type MembershipStep } from "../../src/group/membership.ts"

/** Joined, without its assignment yet. */
function joining(): Membership {
  const membership = new Membership("g")
  membership.joining()
  membership.onJoin({ errorCode: ErrorCode.NONE, memberId: "m-1", generationId: 5 })
  return membership
}

function joined(): Membership {
  const membership = joining()
  membership.onSync(ErrorCode.NONE)
  return membership
}

const code = ErrorCode

test("a new member gets its id first, then its generation", () => {
  const membership = new Membership("g")
  expect(membership.rejoinReason).toBeDefined()
  membership.joining()
  expect(membership.onJoin({ errorCode: code.MEMBER_ID_REQUIRED, memberId: "m-1", generationId: -1 })).toBe("again")
  expect([membership.memberId, membership.isJoined]).toEqual(["m-1", false])
  expect(membership.onJoin({ errorCode: code.NONE, memberId: "m-1", generationId: 1 })).toBe("done")
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
    expect(membership.onHeartbeat(errorCode, 5)).toBe(step)
    expect([membership.memberId, membership.generation, membership.takeLost()]).toEqual([memberId, generation, lost])
    expect(membership.rejoinReason !== undefined).toBe(step === "rejoin")
    expect(membership.fatal !== undefined).toBe(step === "fatal")
  })

  test("an answer to an older generation changes nothing", () => {
    const membership = joined()
    for (const errorCode of errorCodes()) expect(membership.onHeartbeat(errorCode, 4)).toBe("done")
    expect([membership.memberId, membership.generation, membership.takeLost()]).toEqual(["m-1", 5, false])
  })
})

test.each<[number, string]>([
  [code.UNKNOWN_MEMBER_ID, ""],
  [code.ILLEGAL_GENERATION, "m-1"],
])("a member that joins again and hears code %i has lost its partitions", (errorCode, memberId) => {
  const membership = joined()
  expect(membership.onJoin({ errorCode, memberId: "", generationId: -1 })).toBe("again")
  expect([membership.memberId, membership.generation, membership.takeLost()]).toEqual([memberId, -1, true])
})

test("an instance id is fenced for good only once the coordinator has kept the member id", () => {
  const fenced = { errorCode: code.FENCED_INSTANCE_ID, memberId: "", generationId: -1 }
  for (const step of [(one: Membership) => one.onJoin(fenced), (one: Membership) => one.onSync(fenced.errorCode)]) {
    const early = joining()
    expect([step(early), early.memberId, early.fatal]).toEqual(["again", "", undefined])
    const late = joined()
    expect([step(late), late.fatal?.code]).toEqual(["fatal", code.FENCED_INSTANCE_ID])
  }
  const early = joining()
  expect([early.onHeartbeat(code.FENCED_INSTANCE_ID, 5), early.memberId, early.fatal]).toEqual([
    "rejoin",
    "",
    undefined,
  ])
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
    expect(membership.onSync(errorCode)).toBe(step)
    expect(membership.memberId).toBe(memberId)
    expect(membership.rejoinReason !== undefined).toBe(errorCode !== code.NONE && step !== "fatal")
  })
})

test("every code has a meaning in every place", () => {
  for (const errorCode of errorCodes()) {
    expect(() => joined().onHeartbeat(errorCode, 5)).not.toThrow()
    expect(() => joined().onSync(errorCode)).not.toThrow()
    expect(() => joined().onJoin({ errorCode, memberId: "m-2", generationId: 6 })).not.toThrow()
  }
})

test("who leaves has lost its partitions and joins anew", () => {
  const membership = joined()
  membership.left("no poll for too long")
  expect([membership.memberId, membership.generation, membership.isJoined]).toEqual(["", -1, false])
  expect([membership.takeLost(), membership.takeLost()]).toEqual([true, false])
  expect(membership.rejoinReason).toBe("no poll for too long")
})
