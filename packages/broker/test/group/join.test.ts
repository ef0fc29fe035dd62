/** JoinGroup and the rebalance. Numbers in names are rows of reference/broker.md, section 2. */
import { describe, expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import { GroupHarness, protocol, rebalanceTimeoutMs, sessionTimeoutMs } from "./group-harness.ts"

describe("73: a new dynamic member", () => {
  test("is sent back with an id from v4 on, and joins with it", () => {
    const g = new GroupHarness()
    const first = g.expectAnswer(g.join({ apiVersion: 4 }))
    expect(first.errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED)
    expect(first.memberId).toMatch(/^client-id0/)
    const token = g.join({ apiVersion: 4, memberId: first.memberId })
    g.advance(3000)
    expect(g.expectAnswer(token)).toMatchObject({ errorCode: ErrorCode.NONE, generationId: 1, leader: first.memberId })
  })

  test("joins at once before v4", () => {
    const g = new GroupHarness()
    const token = g.join({ apiVersion: 3 })
    g.advance(3000)
    expect(g.expectAnswer(token)).toMatchObject({ errorCode: ErrorCode.NONE, generationId: 1 })
  })

  test("a static member makes no such round trip", () => {
    const g = new GroupHarness()
    const token = g.join({ groupInstanceId: "i" })
    g.advance(3000)
    expect(g.expectAnswer(token).memberId).toMatch(/^i-id0/)
  })

  test("an id that nobody comes back with is forgotten at its session's end", () => {
    const g = new GroupHarness()
    const { memberId } = g.expectAnswer(g.join())
    g.advance(sessionTimeoutMs)
    expect(g.expectAnswer(g.join({ memberId })).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  test("an id that was handed out holds the rebalance up until then", () => {
    const g = new GroupHarness()
    const [first] = g.stable()
    g.join()
    const token = g.join({ memberId: first! })
    expect(g.answer(token)).toBeUndefined()
    g.advance(sessionTimeoutMs)
    expect(g.expectAnswer(token).generationId).toBe(2)
  })

  test("an id that was never handed out is unknown", () => {
    const g = new GroupHarness()
    expect(g.expectAnswer(g.join({ memberId: "x" })).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    g.stable()
    expect(g.expectAnswer(g.join({ memberId: "x" })).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })
})

describe("74: timeouts of a join", () => {
  for (const [name, options] of Object.entries({
    "absent in v0": { apiVersion: 0, rebalanceTimeoutMs: -1 },
    "-1": { apiVersion: 9, rebalanceTimeoutMs: -1, groupInstanceId: "i" },
  })) {
    test(`a rebalance timeout that is ${name} is the session timeout`, () => {
      const g = new GroupHarness()
      g.join(options)
      const [member] = g.group().members.values()
      expect(member?.rebalanceTimeoutMs).toBe(sessionTimeoutMs)
    })
  }

  for (const [timeoutMs, error] of [
    [5999, ErrorCode.INVALID_SESSION_TIMEOUT],
    [6000, ErrorCode.MEMBER_ID_REQUIRED],
    [1_800_000, ErrorCode.MEMBER_ID_REQUIRED],
    [1_800_001, ErrorCode.INVALID_SESSION_TIMEOUT],
  ] as const) {
    test(`a session timeout of ${timeoutMs} gets ${error}`, () => {
      const g = new GroupHarness()
      expect(g.expectAnswer(g.join({ sessionTimeoutMs: timeoutMs })).errorCode).toBe(error)
    })
  }

  test("an empty group id is no group", () => {
    const g = new GroupHarness()
    expect(g.expectAnswer(g.join({ groupId: "" })).errorCode).toBe(ErrorCode.INVALID_GROUP_ID)
  })
})

describe("75: the first rebalance of an empty group", () => {
  test("waits its delay", () => {
    const g = new GroupHarness()
    const { token } = g.joinTwice()
    g.advance(2999)
    expect(g.answer(token)).toBeUndefined()
    g.advance(1)
    expect(g.expectAnswer(token).generationId).toBe(1)
  })

  test("waits longer for each newcomer, up to the rebalance timeout", () => {
    const g = new GroupHarness()
    const options = { rebalanceTimeoutMs: 8000 }
    const tokens = [g.joinTwice(options).token]
    for (const waited of [2000, 4000, 7000]) {
      g.advance(waited - (g.now - 1_700_000_000_000))
      tokens.push(g.joinTwice(options).token)
    }
    expect(tokens.map((token) => g.answer(token))).toEqual([undefined, undefined, undefined, undefined])
    g.advance(1000)
    expect(new Set(tokens.map((token) => g.expectAnswer(token).generationId))).toEqual(new Set([1]))
  })

  test("of a delay of 0 does not wait", () => {
    const g = new GroupHarness({ "group.initial.rebalance.delay.ms": 0 })
    const { token } = g.joinTwice()
    g.advance(0)
    expect(g.expectAnswer(token).generationId).toBe(1)
  })
})

describe("76: a rejoin of a stable group", () => {
  test("by a follower with the same metadata changes nothing", () => {
    const g = new GroupHarness()
    const [, follower] = g.stable(2)
    expect(g.expectAnswer(g.join({ memberId: follower! }))).toMatchObject({ generationId: 1, members: [] })
    expect(g.group().state).toBe("Stable")
  })

  test("by a follower with other metadata starts a rebalance", () => {
    const g = new GroupHarness()
    const [leader, follower] = g.stable(2)
    const token = g.join({ memberId: follower!, protocols: [protocol("range", "more")] })
    expect(g.answer(token)).toBeUndefined()
    expect(g.heartbeat(leader!, 1)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    g.join({ memberId: leader! })
    expect(g.expectAnswer(token)).toMatchObject({ generationId: 2, leader, members: [] })
  })

  test("by the leader starts a rebalance, and the leader alone gets everyone's metadata", () => {
    const g = new GroupHarness()
    const [leader, follower] = g.stable(2)
    const token = g.join({ memberId: leader! })
    const other = g.join({ memberId: follower! })
    expect(g.expectAnswer(token).members).toEqual([
      { memberId: leader, groupInstanceId: null, metadata: protocol("range").metadata },
      { memberId: follower, groupInstanceId: null, metadata: protocol("range").metadata },
    ])
    expect(g.expectAnswer(other).members).toEqual([])
  })

  test("in CompletingRebalance an unchanged member hears the generation again", () => {
    const g = new GroupHarness()
    const { memberId, token } = g.joinTwice()
    g.advance(3000)
    const answer = g.expectAnswer(token)
    expect(g.expectAnswer(g.join({ memberId }))).toEqual(answer)
  })
})

describe("77: sessions in a rebalance", () => {
  test("a heartbeat hears of the rebalance and keeps the session", () => {
    const g = new GroupHarness()
    const [leader, follower] = g.stable(2)
    g.join({ memberId: leader! })
    for (let beats = 0; beats < 4; beats++) {
      g.advance(sessionTimeoutMs - 1)
      expect(g.heartbeat(follower!, 1)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    }
    expect(g.group().members.has(follower!)).toBe(true)
  })

  test("who waits in JoinGroup does not expire", () => {
    const g = new GroupHarness()
    const [leader, follower] = g.stable(2)
    const token = g.join({ memberId: leader! })
    for (let beats = 0; beats < 5; beats++) {
      g.heartbeat(follower!, 1)
      g.advance(sessionTimeoutMs - 1)
    }
    expect(g.answer(token)).toBeUndefined()
    expect(g.group().members.has(leader!)).toBe(true)
  })

  test("who waits in SyncGroup does not expire, and its session starts anew with the assignment", () => {
    const g = new GroupHarness()
    const joined = [g.joinTwice(), g.joinTwice()]
    g.advance(6000)
    const leader = g.expectAnswer(joined[0]!.token).leader
    const follower = joined.find(({ memberId }) => memberId !== leader)!.memberId
    const token = g.sync(follower, 1)
    for (let beats = 0; beats < 3; beats++) {
      g.advance(sessionTimeoutMs - 1)
      g.heartbeat(leader, 1)
    }
    expect(g.answer(token)).toBeUndefined()
    g.sync(leader, 1, { [follower]: "p" })
    expect(new TextDecoder().decode(g.expectAnswer(token).assignment)).toBe("p")
    g.advance(sessionTimeoutMs - 1)
    expect(g.group().members.has(follower)).toBe(true)
    g.advance(1)
    expect(g.group().members.has(follower)).toBe(false)
  })

  test("a member that does not rejoin in time is out", () => {
    const g = new GroupHarness()
    const [leader, follower] = g.stable(2, { sessionTimeoutMs: rebalanceTimeoutMs * 2 })
    const token = g.join({ memberId: leader!, sessionTimeoutMs: rebalanceTimeoutMs * 2 })
    g.advance(rebalanceTimeoutMs)
    expect(g.expectAnswer(token).members.map(({ memberId }) => memberId)).toEqual([leader])
    expect(g.heartbeat(follower!, 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  test("a newcomer that waits for five minutes has given up", () => {
    const g = new GroupHarness()
    const long = { rebalanceTimeoutMs: 1_000_000, sessionTimeoutMs: 1_000_000 }
    const [first] = g.stable(1, long)
    const { token } = g.joinTwice(long)
    g.advance(299_999)
    expect(g.answer(token)).toBeUndefined()
    g.advance(1)
    expect(g.expectAnswer(token).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect([...g.group().members.keys()]).toEqual([first])
  })

  test("a member that joined but never syncs is out", () => {
    const g = new GroupHarness()
    const long = { sessionTimeoutMs: rebalanceTimeoutMs * 3 }
    const [a, b] = [g.joinTwice(long), g.joinTwice(long)]
    g.advance(6000)
    const leader = g.expectAnswer(a.token).leader
    const silent = leader === a.memberId ? b.memberId : a.memberId
    g.sync(leader, 1, { [leader]: "all" })
    g.advance(rebalanceTimeoutMs)
    expect([...g.group().members.keys()]).toEqual([leader])
    expect(g.heartbeat(leader, 1)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    expect(g.heartbeat(silent, 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  test("a member that is not heard of is out, and the others rebalance", () => {
    const g = new GroupHarness()
    const [leader, follower] = g.stable(2)
    g.advance(sessionTimeoutMs - 1)
    g.heartbeat(leader!, 1)
    g.advance(1)
    expect(g.group().members.has(follower!)).toBe(false)
    expect(g.heartbeat(leader!, 1)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
  })
})

describe("84: one protocol for all", () => {
  test("who shares none is refused, alone", () => {
    const g = new GroupHarness()
    const [first] = g.stable()
    const refused = g.expectAnswer(g.join({ apiVersion: 3, protocols: [protocol("sticky")] }))
    expect(refused.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    expect(g.heartbeat(first!, 1)).toBe(ErrorCode.NONE)
  })

  test("who has another protocol type is refused", () => {
    const g = new GroupHarness()
    g.stable()
    const refused = g.expectAnswer(g.join({ protocolType: "connect" }))
    expect(refused.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  })

  for (const protocolType of ["consumer", "connect", "sr"]) {
    test(`protocol type ${protocolType} is opaque`, () => {
      const g = new GroupHarness()
      const metadata = Uint8Array.of(0, 255, 7)
      const { token } = g.joinTwice({ protocolType, protocols: [protocol("v0", metadata)] })
      g.advance(3000)
      expect(g.expectAnswer(token)).toMatchObject({ protocolType, protocolName: "v0", members: [{ metadata }] })
    })
  }

  const votes = [
    {
      name: "all agree",
      members: [
        ["a", "b"],
        ["a", "b"],
      ],
      chosen: "a",
    },
    {
      name: "most votes win",
      members: [
        ["a", "b"],
        ["b", "a"],
        ["b", "a"],
      ],
      chosen: "b",
    },
    {
      name: "only common ones count",
      members: [
        ["a", "c"],
        ["b", "c"],
        ["a", "b", "c"],
      ],
      chosen: "c",
    },
    {
      name: "a tie goes by the oldest member",
      members: [
        ["b", "a"],
        ["a", "b"],
      ],
      chosen: "b",
    },
  ]
  for (const { name, members, chosen } of votes) {
    test(`${name}: ${chosen}`, () => {
      const g = new GroupHarness()
      const joined = members.map((names) =>
        g.joinTwice({ protocols: names.map((protocolName) => protocol(protocolName)) }),
      )
      g.advance(6000)
      expect(joined.map(({ token }) => g.expectAnswer(token).protocolName)).toEqual(members.map(() => chosen))
    })
  }
})

test("87: when the last member expires and only handed-out ids remain, the group is empty", () => {
  const g = new GroupHarness()
  g.stable()
  g.advance(sessionTimeoutMs - 1)
  g.join()
  g.advance(1)
  expect(g.group().state).toBe("Empty")
  expect(g.group().pendingMembers.size).toBe(1)
  expect(g.group().persisted).toMatchObject({ members: [], generation: 2, leader: null, protocol: null })
})

test("a full group takes no more members than group.max.size", () => {
  const g = new GroupHarness({ "group.max.size": 1 })
  g.stable()
  expect(g.expectAnswer(g.join()).errorCode).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED)
})

test("83: ownedPartitions pass through as they came, and a follow-up rejoin is just another rebalance", () => {
  const g = new GroupHarness()
  const first = protocol("cooperative-sticky", Uint8Array.of(1, 2, 3))
  const { memberId, token } = g.joinTwice({ protocols: [first] })
  g.advance(3000)
  expect(g.expectAnswer(token).members[0]?.metadata).toEqual(first.metadata)
  g.ask((token) => ({
    kind: "sync",
    token: token as never,
    context: { apiVersion: 3, clientId: "", clientHost: "" },
    request: {
      groupId: "g",
      generationId: 1,
      memberId,
      groupInstanceId: null,
      protocolType: null,
      protocolName: null,
      assignments: [],
    },
  }))
  const owning = protocol("cooperative-sticky", Uint8Array.of(9, 9))
  const rejoined = g.join({ memberId, protocols: [owning] })
  expect(g.expectAnswer(rejoined)).toMatchObject({ generationId: 2, members: [{ metadata: owning.metadata }] })
})
