/** Removing and describing groups. Numbers in names are rows of reference/broker.md, section 2. */
import { describe, expect, test } from "vitest"
import { ErrorCode, encode } from "@millrace/protocol"
import type { DeleteGroupsResponse } from "@millrace/protocol/messages/delete-groups"
import type { DescribeGroupsResponse } from "@millrace/protocol/messages/describe-groups"
import { ConsumerProtocolSubscription } from "@millrace/protocol/records/consumer-protocol"
import type { ListRequest } from "../../src/group/requests.ts"
import type { OffsetDeleteResponse } from "@millrace/protocol/messages/offset-delete"
import { GroupHarness, protocol } from "./group-harness.ts"

const context = { apiVersion: 5, clientId: "", clientHost: "" }

function subscription(...topics: string[]) {
  const body = encode(ConsumerProtocolSubscription, 0, { topics })
  return protocol("range", Uint8Array.of(0, 0, ...body))
}

const deleteGroup = (g: GroupHarness, groupId: string) =>
  g.expectAnswer(
    g.ask<DeleteGroupsResponse["results"]>((token) => ({ kind: "delete", token, context, groupIds: [groupId] })),
  )[0]?.errorCode

const deleteOffset = (g: GroupHarness, topic: string, groupId = "g") => {
  const answer = g.expectAnswer(
    g.ask<OffsetDeleteResponse>((token) => ({
      kind: "offset-delete",
      token,
      context,
      request: { groupId, topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }] },
    })),
  )
  return answer.errorCode || answer.topics[0]?.partitions[0]?.errorCode
}

describe("85: DeleteGroups", () => {
  test("a group with members stays", () => {
    const g = new GroupHarness()
    const [memberId] = g.stable()
    expect(deleteGroup(g, "g")).toBe(ErrorCode.NON_EMPTY_GROUP)
    expect(g.heartbeat(memberId!, 1)).toBe(ErrorCode.NONE)
  })

  test("an empty one goes with its offsets, those of open transactions too", () => {
    const g = new GroupHarness()
    const [memberId] = g.stable()
    g.commit(1, { memberId: memberId!, generation: 1 })
    g.commit(2, { producerId: 7, partition: 1, memberId: memberId!, generation: 1 })
    g.leave(memberId!)
    expect(deleteGroup(g, "g")).toBe(ErrorCode.NONE)
    g.marker(7, true)
    expect(g.fetch({ topics: null }).topics).toEqual([])
    expect(deleteGroup(g, "g")).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    g.restart()
    expect(deleteGroup(g, "g")).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
  })

  test("a group of offsets alone goes, and is not back after a restart", () => {
    const g = new GroupHarness()
    g.commit(1)
    expect(deleteGroup(g, "g")).toBe(ErrorCode.NONE)
    g.restart()
    expect(deleteGroup(g, "g")).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
  })

  test("an empty id is a group's too: consumers of old commit under it", () => {
    const g = new GroupHarness()
    expect(deleteGroup(g, "")).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    g.commit(1, { groupId: "" })
    expect(deleteGroup(g, "")).toBe(ErrorCode.NONE)
  })
})

describe("85: OffsetDelete", () => {
  test("of a topic that members read is refused, of another is done", () => {
    const g = new GroupHarness()
    const [memberId] = g.stable(1, { protocols: [subscription("read")] })
    for (const topic of ["read", "old"]) g.commit(1, { topic, memberId: memberId!, generation: 1 })
    expect(deleteOffset(g, "read")).toBe(ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC)
    expect(deleteOffset(g, "old")).toBe(ErrorCode.NONE)
    expect(g.fetch({ topics: null }).topics.map(({ name }) => name)).toEqual(["read"])
  })

  test("of an empty group is done, of members that are no consumers is refused", () => {
    const g = new GroupHarness()
    g.commit(1)
    expect(deleteOffset(g, "t")).toBe(ErrorCode.NONE)
    g.stable(1, { groupId: "g", protocolType: "consumer" })
    const connect = new GroupHarness()
    const { token } = connect.joinTwice({ protocolType: "connect" })
    connect.advance(3000)
    connect.expectAnswer(token)
    expect(deleteOffset(connect, "t")).toBe(ErrorCode.NON_EMPTY_GROUP)
  })

  test("of an absent group finds none", () => {
    expect(deleteOffset(new GroupHarness(), "t")).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
  })

  test("offsets of topics that a running group no longer reads expire, those it reads do not", () => {
    const g = new GroupHarness()
    const long = { sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: 1_800_000 }
    const [memberId] = g.stable(1, { protocols: [subscription("read")], ...long })
    for (const topic of ["read", "old"]) g.commit(1, { topic, memberId: memberId!, generation: 1 })
    for (let beats = 0; beats < 7 * 24 * 2 + 3; beats++) {
      g.advance(1_799_000)
      expect(g.heartbeat(memberId!, 1)).toBe(ErrorCode.NONE)
    }
    expect(g.fetch({ topics: null }).topics.map(({ name }) => name)).toEqual(["read"])
  })
})

test("offsets of deleted topics are forgotten, pending ones too", () => {
  const g = new GroupHarness()
  for (const topic of ["gone", "kept"]) {
    g.commit(1, { topic })
    g.commit(2, { topic, producerId: 7 })
  }
  g.ask<ErrorCode>((token) => ({ kind: "topics-deleted", token, topics: ["gone"] }))
  g.marker(7, true)
  expect(g.fetch({ topics: null }).topics.map(({ name }) => name)).toEqual(["kept"])
})

describe("86: DescribeGroups and ListGroups", () => {
  const described = (g: GroupHarness, apiVersion: number, groupId = "g") =>
    g.expectAnswer(
      g.ask<DescribeGroupsResponse["groups"]>((token) => ({
        kind: "describe",
        token,
        context: { ...context, apiVersion },
        groupIds: [groupId],
      })),
    )[0]

  test("an absent group is Dead, with an error from v6 on", () => {
    const g = new GroupHarness()
    expect(described(g, 5)).toMatchObject({ groupState: "Dead", errorCode: ErrorCode.NONE, errorMessage: null })
    expect(described(g, 6)).toMatchObject({ groupState: "Dead", errorCode: ErrorCode.GROUP_ID_NOT_FOUND })
  })

  test("a stable group shows protocol, metadata and assignments", () => {
    const g = new GroupHarness()
    const [memberId] = g.stable()
    expect(described(g, 5)).toMatchObject({
      groupState: "Stable",
      protocolType: "consumer",
      protocolData: "range",
      members: [{ memberId, clientId: "client", clientHost: "/127.0.0.1", memberMetadata: protocol("range").metadata }],
    })
  })

  const listed = (g: GroupHarness, statesFilter: string[], typesFilter: string[] = []) =>
    g
      .expectAnswer(
        g.ask<{ error: ErrorCode; groups: { groupId: string }[] }>((token) => ({
          kind: "list",
          token: token as ListRequest["token"],
          context,
          request: { statesFilter, typesFilter },
        })),
      )
      .groups.map(({ groupId }) => groupId)

  test("lists filter by state and type, in any case of letters", () => {
    const g = new GroupHarness()
    g.stable()
    g.commit(1, { groupId: "offsets" })
    expect(listed(g, []).sort()).toEqual(["g", "offsets"])
    expect(listed(g, ["Stable"])).toEqual(["g"])
    expect(listed(g, ["empty"])).toEqual(["offsets"])
    expect(listed(g, [], ["Classic"]).sort()).toEqual(["g", "offsets"])
    expect(listed(g, [], ["consumer"])).toEqual([])
  })
})
