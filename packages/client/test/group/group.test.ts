import { expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import type { Cluster, Lane } from "../../src/cluster.ts"
import { Group } from "../../src/group/group.ts"
import type { MemberHooks } from "../../src/group/member.ts"
import type { Assignor } from "../../src/group/assignor.ts"
import { decodeMember, encodeAssignment } from "../../src/group/protocol.ts"
import { rangeAssignor } from "../../src/group/range.ts"
import { IdleClock } from "../support/idle-clock.ts"

/** One that is a promise is held back until it resolves. */
type Answer = Record<string, unknown> | Promise<never>

/** A group whose coordinator answers from scripts; what the hooks were told is in `told`. */
function scripted(scripts: Record<string, Answer[]>, assignor: Assignor = rangeAssignor) {
  const clock = new IdleClock()
  /** What each JoinGroup said that its member owns. */
  const claims: string[] = []
  /** Which connection each request went through. */
  const sent: string[] = []
  const connection = (lane: Lane) => ({
    request: ({ name }: { readonly name: string }, body: { protocols?: { metadata: Uint8Array }[] }) => {
      sent.push(`${name} by ${lane}`)
      const metadata = body.protocols?.[0]?.metadata
      if (metadata) claims.push(names(decodeMember("me", null, metadata).ownedPartitions))
      return Promise.resolve(scripts[name]?.shift() ?? { errorCode: ErrorCode.NONE, members: [] })
    },
  })
  const cluster = {
    env: { clock, random: { float: () => 0.5 }, retryBackoffMs: 10, retryBackoffMaxMs: 10, clientRack: "" },
    coordinator: (_type: unknown, _key: string, lane: Lane) => Promise.resolve(connection(lane)),
    coordinatorFault: () => {},
    forgetCoordinator: () => {},
    metadata: { topic: () => undefined },
  }
  const told: string[] = []
  const names = (partitions: readonly { topic: string; partition: number }[]) =>
    partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(" ")
  const hooks: MemberHooks = {
    changed: () => {},
    revoked: async (partitions) => void told.push(`revoked ${names(partitions)}`),
    lost: async (partitions) => void told.push(`lost ${names(partitions)}`),
    assigned: async (added) => void told.push(`assigned ${names(added)}`),
  }
  const options = {
    groupId: "g",
    groupInstanceId: null,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    heartbeatIntervalMs: 3_000,
    maxPollIntervalMs: 60_000,
    assignors: [assignor],
  }
  return { group: new Group(cluster as unknown as Cluster, options, hooks), clock, told, claims, sent, hooks }
}

const joined = (generationId: number, protocolName = "range"): Answer => ({
  errorCode: ErrorCode.NONE,
  generationId,
  memberId: "me",
  leader: "somebody else",
  protocolName,
  skipAssignment: false,
  members: [],
})
const synced = (partition: number): Answer => ({
  errorCode: ErrorCode.NONE,
  assignment: encodeAssignment({ partitions: [{ topic: "t", partition }] }),
})

test("an assignment is kept that came after the group had dropped the member in the same rebalance", async () => {
  const { group, clock, told } = scripted({
    JoinGroup: [joined(1), joined(2)],
    SyncGroup: [{ errorCode: ErrorCode.UNKNOWN_MEMBER_ID }, synced(3)],
  })
  expect(await group.advance(clock.monotonic() + 1_000)).toBe(true)
  expect(group.owned).toEqual([{ topic: "t", partition: 3 }])
  expect(told).toEqual(["assigned t-3"])
  await group.close(false)
})

test("a member that the group has forgotten claims nothing of what it had when it joins again", async () => {
  const cooperative: Assignor = { name: "sticky", protocol: "cooperative", assign: () => new Map() }
  const forgotten = { errorCode: ErrorCode.UNKNOWN_MEMBER_ID, memberId: "", generationId: -1 }
  const scripts = {
    JoinGroup: [joined(1, "sticky"), forgotten, joined(3, "sticky")],
    SyncGroup: [synced(0), synced(0)],
  }
  const { group, clock, told, claims } = scripted(scripts, cooperative)
  await group.advance(clock.monotonic() + 1_000)
  group.enforceRebalance("a test")
  expect(await group.advance(clock.monotonic() + 1_000)).toBe(true)
  expect(claims).toEqual(["", "t-0", ""])
  expect(told).toEqual(["assigned t-0", "lost t-0", "assigned t-0"])
  await group.close(false)
})

test("a callback that fails loses neither the new partitions nor the rebalance that others wait for", async () => {
  const cooperative: Assignor = { name: "sticky", protocol: "cooperative", assign: () => new Map() }
  const scripts = {
    JoinGroup: [joined(1, "sticky"), joined(2, "sticky"), joined(3, "sticky")],
    SyncGroup: [synced(0), synced(1), synced(1)],
  }
  const { group, clock, told, hooks } = scripted(scripts, cooperative)
  await group.advance(clock.monotonic() + 1_000)
  group.enforceRebalance("a test")
  hooks.revoked = () => Promise.reject(new Error("the callback failed"))
  await expect(group.advance(clock.monotonic() + 1_000)).rejects.toThrow("the callback failed")
  expect(await group.advance(clock.monotonic() + 1_000)).toBe(true)
  expect([told, group.owned]).toEqual([["assigned t-0", "assigned t-1"], [{ topic: "t", partition: 1 }]])
  await group.close(false).catch(() => {})
})

test("what the group has given to others is lost, not revoked, when the member is closed before it polls again", async () => {
  const { group, clock, told } = scripted({ JoinGroup: [joined(1)], SyncGroup: [synced(0)] })
  await group.advance(clock.monotonic() + 1_000)
  group.committed(ErrorCode.UNKNOWN_MEMBER_ID, 1)
  await group.close(false)
  expect(told).toEqual(["assigned t-0", "lost t-0"])
})

test("a callback that fails on close keeps nobody in the group", async () => {
  const { group, clock, sent, hooks } = scripted({ JoinGroup: [joined(1)], SyncGroup: [synced(0)] })
  await group.advance(clock.monotonic() + 1_000)
  hooks.revoked = () => Promise.reject(new Error("the callback failed"))
  await expect(group.close(true)).rejects.toThrow("the callback failed")
  expect([sent.at(-1), group.owned]).toEqual(["LeaveGroup by group", []])
})

test("who leaves while the group waits for others does not wait behind its own JoinGroup", async () => {
  const scripts = { JoinGroup: [joined(1), new Promise<never>(() => {})], SyncGroup: [synced(0)] }
  const { group, clock, told, sent } = scripted(scripts)
  await group.advance(clock.monotonic() + 1_000)
  group.enforceRebalance("a test")
  expect(await group.advance(clock.monotonic() + 1_000)).toBe(false)
  await group.close(true)
  expect(sent.slice(-2)).toEqual(["JoinGroup by group", "LeaveGroup by main"])
  expect(told).toEqual(["assigned t-0", "revoked t-0"])
})
