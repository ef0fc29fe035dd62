import { expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import type { Cluster } from "../../src/cluster.ts"
import { Group, type GroupHooks } from "../../src/group/group.ts"
import { encodeAssignment } from "../../src/group/protocol.ts"
import { rangeAssignor } from "../../src/group/range.ts"
import { VirtualClock } from "../support/virtual-clock.ts"

type Answer = Record<string, unknown>

/** A group whose coordinator answers from scripts; what the hooks were told is in `told`. */
function scripted(scripts: Record<string, Answer[]>) {
  const clock = new VirtualClock()
  const connection = {
    request: ({ name }: { readonly name: string }) =>
      Promise.resolve(scripts[name]?.shift() ?? { errorCode: ErrorCode.NONE, members: [] }),
  }
  const cluster = {
    env: { clock, random: { float: () => 0.5 }, retryBackoffMs: 10, retryBackoffMaxMs: 10, clientRack: "" },
    coordinator: () => Promise.resolve(connection),
    coordinatorFault: () => {},
    forgetCoordinator: () => {},
    metadata: { topic: () => undefined },
  }
  const told: string[] = []
  const names = (partitions: readonly { topic: string; partition: number }[]) =>
    partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(" ")
  const hooks: GroupHooks = {
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
    assignors: [rangeAssignor],
  }
  return { group: new Group(cluster as unknown as Cluster, options, hooks), clock, told }
}

const joined = (generationId: number): Answer => ({
  errorCode: ErrorCode.NONE,
  generationId,
  memberId: "me",
  leader: "somebody else",
  protocolName: "range",
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
