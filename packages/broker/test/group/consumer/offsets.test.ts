/** Offsets of consumer groups, and what becomes of a group id that both protocols want. */
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import type { DeleteGroupsResponse } from "@millrace/protocol/messages/delete-groups"
import type { JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import type { ListGroupsResponse } from "@millrace/protocol/messages/list-groups"
import type { OffsetCommitResponse } from "@millrace/protocol/messages/offset-commit"
import { expect, test } from "vitest"
import type { FetchedGroup } from "../../../src/group/requests.ts"
import { ConsumerHarness } from "./consumer-harness.ts"

const context = { apiVersion: 9, clientId: "client", clientHost: "/127.0.0.1" }

function commit(harness: ConsumerHarness, memberId: string, epoch: number, apiVersion = 9): number {
  const partition = { partitionIndex: 0, committedOffset: 7, committedLeaderEpoch: -1, committedMetadata: "" }
  const token = harness.ask<OffsetCommitResponse>((token) => ({
    kind: "offset-commit",
    token,
    context: { ...context, apiVersion },
    request: {
      groupId: "g",
      memberId,
      generationIdOrMemberEpoch: epoch,
      groupInstanceId: null,
      retentionTimeMs: -1,
      topics: [{ name: "t", topicId: ZERO_UUID, partitions: [partition] }],
    },
  }))
  return harness.answer(token)!.topics[0]!.partitions[0]!.errorCode
}

function fetch(harness: ConsumerHarness, memberId: string | null, memberEpoch: number) {
  const token = harness.ask<FetchedGroup>((token) => ({
    kind: "offset-fetch",
    token,
    context,
    requireStable: true,
    group: { groupId: "g", memberId, memberEpoch, topics: [{ name: "t", topicId: ZERO_UUID, partitionIndexes: [0] }] },
  }))
  const { errorCode, topics } = harness.answer(token)!
  return [errorCode, topics[0]?.partitions[0]?.committedOffset]
}

function join(harness: ConsumerHarness): number {
  const token = harness.ask<JoinGroupResponse>((token) => ({
    kind: "join",
    token,
    context,
    freshId: "id",
    request: {
      groupId: "g",
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: "",
      groupInstanceId: null,
      protocolType: "consumer",
      protocols: [{ name: "range", metadata: new Uint8Array() }],
      reason: null,
    },
  }))
  return harness.answer(token)!.errorCode
}

test("93: offsets are committed and read with the member's epoch, or by nobody in particular", () => {
  const harness = new ConsumerHarness({ t: 1 })
  harness.join("m")
  expect(commit(harness, "m", 0)).toBe(ErrorCode.STALE_MEMBER_EPOCH)
  expect(commit(harness, "who", 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  expect(commit(harness, "", -1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  expect(commit(harness, "m", 1, 8)).toBe(ErrorCode.UNSUPPORTED_VERSION)
  expect(commit(harness, "m", 1)).toBe(ErrorCode.NONE)
  expect(fetch(harness, "m", 1)).toEqual([ErrorCode.NONE, 7])
  expect(fetch(harness, "m", 2)).toEqual([ErrorCode.STALE_MEMBER_EPOCH, undefined])
  expect(fetch(harness, "who", 1)).toEqual([ErrorCode.UNKNOWN_MEMBER_ID, undefined])
  expect(fetch(harness, null, -1)).toEqual([ErrorCode.NONE, 7])
  harness.beat({ memberId: "m", memberEpoch: -1 })
  expect(commit(harness, "", -1)).toBe(ErrorCode.NONE)
})

test("96: an empty group goes over to the other protocol, with its offsets", () => {
  const harness = new ConsumerHarness({ t: 1 })
  // A group of offsets alone.
  expect(commit(harness, "", -1)).toBe(ErrorCode.NONE)
  expect(harness.join("m").errorCode).toBe(ErrorCode.NONE)
  expect(fetch(harness, "m", 1)).toEqual([ErrorCode.NONE, 7])
  expect(join(harness), "its subscription cannot be read").toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  harness.beat({ memberId: "m", memberEpoch: -1 })
  expect(join(harness)).toBe(ErrorCode.MEMBER_ID_REQUIRED)
  expect(fetch(harness, null, -1)).toEqual([ErrorCode.NONE, 7])
  // An id that was handed out holds no group of its kind.
  expect(harness.join("m").errorCode).toBe(ErrorCode.NONE)
  expect(fetch(harness, null, -1)).toEqual([ErrorCode.NONE, 7])
})

test("86: groups are listed with their type, and an empty one can be deleted", () => {
  const harness = new ConsumerHarness({ t: 1 })
  harness.join("m")
  const list = () =>
    harness.answer(
      harness.ask<{ error: ErrorCode; groups: ListGroupsResponse["groups"] }>((token) => ({
        kind: "list",
        token,
        context,
        request: { statesFilter: ["stable", "empty"], typesFilter: ["consumer"] },
      })),
    )!.groups
  expect(list()).toEqual([{ groupId: "g", protocolType: "consumer", groupState: "Stable", groupType: "consumer" }])
  const remove = () =>
    harness.answer(
      harness.ask<DeleteGroupsResponse["results"]>((token) => ({ kind: "delete", token, context, groupIds: ["g"] })),
    )![0]!.errorCode
  expect(remove()).toBe(ErrorCode.NON_EMPTY_GROUP)
  harness.beat({ memberId: "m", memberEpoch: -1 })
  expect(remove()).toBe(ErrorCode.NONE)
  expect(list()).toEqual([])
  expect(harness.describe().errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
})
