/** A group goes over from the classic protocol to the consumer protocol and back, while its members read on (row 96). */
import { ErrorCode } from "@millrace/protocol"
import type { JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import { describe, expect, test } from "vitest"
import type { MigrationPolicy } from "../../src/group/config.ts"
import { Classic, context, settle } from "./classic-consumer.ts"
import { Client, ConsumerHarness, type Owned } from "./consumer/consumer-harness.ts"

const code = ErrorCode
const policy = (name: MigrationPolicy) => ({ "group.consumer.migration.policy": name })
const all = (...owned: Owned[]) => owned.flatMap(({ t }) => t ?? []).sort((left, right) => left - right)
const protocolOf = ({ shard }: ConsumerHarness) =>
  shard.state.consumerGroups.has("g") ? "consumer" : shard.state.groups.has("g") ? "classic" : "none"

describe.each([true, false])("96: cooperative: %o", (isCooperative) => {
  test("members of both protocols share the partitions, and what remains is of the protocol that remains", () => {
    const harness = new ConsumerHarness({ t: 6 })
    const [a, b] = [new Classic(harness, { isCooperative }), new Classic(harness, { isCooperative })]
    settle(harness, [a, b])
    expect([protocolOf(harness), all(a.owned, b.owned)]).toEqual(["classic", [0, 1, 2, 3, 4, 5]])

    const c = new Client(harness, "c").join()
    expect(protocolOf(harness)).toBe("consumer")
    settle(harness, [a, b], [c])
    expect(all(a.owned, b.owned, c.partitions)).toEqual([0, 1, 2, 3, 4, 5])
    expect([a.owned, b.owned, c.partitions].map((one) => one["t"]!.length)).toEqual([2, 2, 2])
    expect(
      harness
        .describe()
        .members.map(({ memberType }) => memberType)
        .sort(),
    ).toEqual([0, 0, 1])
    expect(harness.describe().groupState).toBe("Stable")

    const d = new Classic(harness, { isCooperative })
    settle(harness, [a, b, d], [c])
    expect(all(a.owned, b.owned, c.partitions, d.owned)).toEqual([0, 1, 2, 3, 4, 5])
    harness.restart()
    settle(harness, [a, b, d], [c])
    expect(all(a.owned, b.owned, c.partitions, d.owned)).toEqual([0, 1, 2, 3, 4, 5])
    expect(d.leave()).toBe(code.NONE)

    c.leave()
    expect(protocolOf(harness)).toBe("classic")
    settle(harness, [a, b])
    expect(all(a.owned, b.owned)).toEqual([0, 1, 2, 3, 4, 5])
    harness.restart()
    settle(harness, [a, b])
    expect(protocolOf(harness)).toBe("classic")

    const e = new Client(harness, "e").join()
    expect([a.leave(), b.leave()]).toEqual([code.NONE, code.NONE])
    settle(harness, [], [e])
    expect([protocolOf(harness), e.partitions]).toEqual(["consumer", { t: [0, 1, 2, 3, 4, 5] }])
  })
})

describe("96: what group.consumer.migration.policy allows", () => {
  test.each([
    ["bidirectional", true, true],
    ["upgrade", true, false],
    ["downgrade", false, true],
    ["disabled", false, false],
  ] as const)("%s: upgrade %o, downgrade %o", (name, isUpgraded, isDowngraded) => {
    const harness = new ConsumerHarness({ t: 2 }, policy(name))
    const a = new Classic(harness)
    settle(harness, [a])
    const refused = harness.join("c")
    expect(refused.errorCode).toBe(isUpgraded ? code.NONE : code.GROUP_ID_NOT_FOUND)
    if (!isUpgraded) {
      expect(refused.errorMessage).toContain(name)
      expect(a.heartbeat()).toBe(code.NONE)
    }

    const other = new ConsumerHarness({ t: 2 }, policy(name))
    const c = new Client(other, "c").join()
    const b = new Classic(other)
    if (name === "disabled") {
      expect(b.step()).toBe(code.INCONSISTENT_GROUP_PROTOCOL)
      return
    }
    settle(other, [b], [c])
    expect(all(b.owned, c.partitions)).toEqual([0, 1])
    c.leave()
    expect(protocolOf(other)).toBe(isDowngraded ? "classic" : "consumer")
    settle(other, [b])
    expect(b.owned, "whose leader the broker is, where it stays a consumer group").toEqual({ t: [0, 1] })
  })
})

test("96: a group of the classic protocol that is no consumers' stays what it is", () => {
  const harness = new ConsumerHarness({ t: 2 })
  const worker = harness.ask<JoinGroupResponse>((token) => ({
    kind: "join",
    token,
    context: { ...context, apiVersion: 3 },
    freshId: "worker",
    request: {
      ...{ groupId: "g", sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 20_000, memberId: "", groupInstanceId: null },
      ...{ protocolType: "connect", protocols: [{ name: "sessioned", metadata: new Uint8Array(1) }], reason: null },
    },
  }))
  harness.advance(3_000)
  expect(harness.answer(worker)?.errorCode).toBe(code.NONE)
  const answer = harness.join("c")
  expect(answer.errorCode).toBe(code.GROUP_ID_NOT_FOUND)
  expect(answer.errorMessage).toContain("no consumers")
  expect(protocolOf(harness)).toBe("classic")
})

test("96: who waits for a classic rebalance when the group goes over rejoins", () => {
  const harness = new ConsumerHarness({ t: 2 })
  const a = new Classic(harness)
  a.step()
  const c = new Client(harness, "c").join()
  expect(a.step(), "its JoinGroup").toBe(code.REBALANCE_IN_PROGRESS)
  settle(harness, [a], [c])
  expect(all(a.owned, c.partitions)).toEqual([0, 1])
})

test("96: a member that speaks the classic protocol is held to its generation, and commits in it", () => {
  const harness = new ConsumerHarness({ t: 2 })
  const c = new Client(harness, "c").join()
  const a = new Classic(harness)
  settle(harness, [a], [c])
  const { generation } = a
  expect(a.heartbeat(generation + 1)).toBe(code.ILLEGAL_GENERATION)
  expect(a.commit()).toBe(code.NONE)
  expect(a.commit(generation + 1)).toBe(code.ILLEGAL_GENERATION)
  expect(a.sync(generation - 1)).toBe(code.ILLEGAL_GENERATION)
  const stranger = new Classic(harness)
  stranger.memberId = "stranger"
  expect(stranger.heartbeat(1)).toBe(code.UNKNOWN_MEMBER_ID)
  stranger.memberId = "c"
  expect(stranger.heartbeat(c.epoch), "c speaks the other protocol").toBe(code.UNKNOWN_MEMBER_ID)
})

test("96: a member that does not share a protocol with the others of its kind is refused", () => {
  const harness = new ConsumerHarness({ t: 2 })
  const c = new Client(harness, "c").join()
  settle(harness, [new Classic(harness)], [c])
  const other = new Classic(harness, { protocols: ["sticky"] })
  expect(other.step()).toBe(code.INCONSISTENT_GROUP_PROTOCOL)
})

describe("96: a member that speaks the classic protocol is out", () => {
  function started() {
    const harness = new ConsumerHarness({ t: 2 })
    const c = new Client(harness, "c").join()
    const a = new Classic(harness)
    settle(harness, [a], [c])
    return { harness, a, c }
  }
  const passes = (harness: ConsumerHarness, seconds: number, each: () => void) => {
    for (let second = 0; second < seconds; second++) {
      harness.advance(1_000)
      each()
    }
  }

  test("when it is silent for its own session timeout", () => {
    const { harness, a, c } = started()
    passes(harness, 31, () => c.beat())
    expect(a.heartbeat()).toBe(code.UNKNOWN_MEMBER_ID)
    expect(c.partitions).toEqual({ t: [0, 1] })
  })

  test("when it beats but does not rejoin within its rebalance timeout", () => {
    const { harness, a, c } = started()
    const d = new Client(harness, "d").join()
    expect(a.heartbeat()).toBe(code.REBALANCE_IN_PROGRESS)
    passes(harness, 19, () => {
      for (const one of [c, d]) one.beat()
      expect(a.heartbeat()).toBe(code.REBALANCE_IN_PROGRESS)
    })
    harness.advance(1_000)
    expect(a.heartbeat()).toBe(code.UNKNOWN_MEMBER_ID)
  })
})

test("96: a static member keeps its partitions from one protocol to the other and back", () => {
  const harness = new ConsumerHarness({ t: 4 })
  const [a, b] = [new Classic(harness, { instanceId: "a" }), new Classic(harness, { instanceId: "b" })]
  settle(harness, [a, b])
  const had = b.owned
  const client = new Client(harness, "b2").join({ instanceId: "b" })
  settle(harness, [a], [client])
  expect(client.partitions).toEqual(had)
  expect(b.heartbeat(), "its place is taken").toBe(code.FENCED_INSTANCE_ID)
  const again = new Classic(harness, { instanceId: "b" })
  settle(harness, [a, again])
  expect([protocolOf(harness), all(a.owned, again.owned)]).toEqual(["classic", [0, 1, 2, 3]])
})

test("96: a heartbeat that turns the group over, and whose records are refused, changes nothing", () => {
  const harness = new ConsumerHarness({ t: 2 })
  settle(harness, [new Classic(harness)])
  harness.joinInVain("c")
  expect(protocolOf(harness)).toBe("classic")
})

test("96: a member is refused that sends bytes for any of its protocols which are no subscription", () => {
  const harness = new ConsumerHarness({ t: 2 })
  const c = new Client(harness, "c").join()
  const other = new Classic(harness, { protocols: ["range", "x"], unreadable: ["x"] })
  expect(other.step()).toBe(code.INCONSISTENT_GROUP_PROTOCOL)
  settle(harness, [], [c])
  expect(c.partitions).toEqual({ t: [0, 1] })
})

test("96: a group goes back although one of its members came with bytes that are no subscription", () => {
  const harness = new ConsumerHarness({ t: 2 })
  // A classic group takes any.
  const a = new Classic(harness, { protocols: ["range", "x"], unreadable: ["x"] })
  settle(harness, [a])
  const c = new Client(harness, "c").join()
  const b = new Classic(harness, { protocols: ["x"] })
  b.step()
  c.leave()
  expect(protocolOf(harness)).toBe("classic")
  settle(harness, [a, b])
  expect(all(a.owned, b.owned)).toEqual([0, 1])
})

test("96: a group that went back rebalances after a restart, too, until its leader has assigned what the other had", () => {
  const harness = new ConsumerHarness({ t: 4 })
  const [a, b] = [new Classic(harness), new Classic(harness)]
  settle(harness, [a, b])
  const c = new Client(harness, "c").join()
  settle(harness, [a, b], [c])
  c.leave()
  for (let restarts = 0; restarts < 2; restarts++) harness.restart()
  settle(harness, [a, b])
  expect([protocolOf(harness), all(a.owned, b.owned)]).toEqual(["classic", [0, 1, 2, 3]])
  const { generation } = a
  harness.restart()
  settle(harness, [a, b])
  expect(a.generation, "settled, it has no reason to").toBe(generation)
})

test("96: members of the classic protocol hear of partitions that are new, though none of the other protocol is left", () => {
  const harness = new ConsumerHarness({ t: 2, other: 1 }, policy("upgrade"))
  const c = new Client(harness, "c").join()
  const [a, b] = [new Classic(harness), new Classic(harness)]
  settle(harness, [a, b], [c])
  c.leave()
  settle(harness, [a, b])
  expect([protocolOf(harness), all(a.owned, b.owned)]).toEqual(["consumer", [0, 1]])
  const { generation } = a
  harness.topics.set("other", 2)
  settle(harness, [a, b])
  expect(a.generation, "that is not their topic").toBe(generation)
  harness.topics.set("t", 4)
  settle(harness, [a, b])
  expect(all(a.owned, b.owned)).toEqual([0, 1, 2, 3])
})

test("96: what a member had that leaves is shared by those that are left at once, not when their sessions end", () => {
  const harness = new ConsumerHarness({ t: 4 }, policy("upgrade"))
  const c = new Client(harness, "c").join()
  const [a, b] = [new Classic(harness), new Classic(harness)]
  settle(harness, [a, b], [c])
  c.leave()
  expect(a.heartbeat()).toBe(code.REBALANCE_IN_PROGRESS)
  expect(b.sync(b.generation), "which would tell it what it had before").toBe(code.REBALANCE_IN_PROGRESS)
})

describe("96: a group that goes over while its cooperative members rebalance takes nothing from who still reads it", () => {
  /** Two members that have all six partitions, and a third that has just joined. */
  function rebalancing() {
    const harness = new ConsumerHarness({ t: 6 })
    const [a, b, joining] = [1, 2, 3].map(() => new Classic(harness, { isCooperative: true }))
    settle(harness, [a!, b!])
    joining!.step()
    return { harness, a: a!, b: b!, joining: joining! }
  }
  const heardAndRejoined = (one: Classic) => void [one.step(), one.step()]

  test("when one of them has not heard yet of what it has to give up", () => {
    const { harness, a, b, joining } = rebalancing()
    for (const one of [b, a]) heardAndRejoined(one)
    const d = new Client(harness, "d").join()
    expect(b.owned["t"]).toHaveLength(3)
    expect(all(b.owned, d.partitions)).toEqual([...new Set(all(b.owned, d.partitions))])
    settle(harness, [a, b, joining], [d])
    expect(all(a.owned, b.owned, joining.owned, d.partitions)).toEqual([0, 1, 2, 3, 4, 5])
  })

  test("when another newcomer has cancelled the assignment", () => {
    const { harness, a, b, joining } = rebalancing()
    for (const one of [a, b]) heardAndRejoined(one)
    const fourth = new Classic(harness, { isCooperative: true })
    fourth.step()
    const d = new Client(harness, "d").join()
    expect([a.owned["t"], b.owned["t"], d.partitions]).toEqual([[0, 2, 4], [1, 3, 5], {}])
    settle(harness, [a, b, joining, fourth], [d])
    expect(all(a.owned, b.owned, joining.owned, fourth.owned, d.partitions)).toEqual([0, 1, 2, 3, 4, 5])
  })
})

test("96: a newcomer that does not know the protocol of the last generation does not keep its group from going over", () => {
  const harness = new ConsumerHarness({ t: 2 })
  const a = new Classic(harness, { protocols: ["range", "roundrobin"] })
  settle(harness, [a])
  const b = new Classic(harness, { protocols: ["roundrobin"] })
  b.step()
  const c = new Client(harness, "c").join()
  expect(protocolOf(harness)).toBe("consumer")
  settle(harness, [a, b], [c])
  expect(all(a.owned, b.owned, c.partitions)).toEqual([0, 1])
})

test.each([
  ["rejoin", (a: Classic) => expect(a.heartbeat()).toBe(code.REBALANCE_IN_PROGRESS)],
  ["sync", (a: Classic) => a.ask()],
] as const)("96: who goes on with the other protocol under its id need not %s any more", (_, asked) => {
  const harness = new ConsumerHarness({ t: 2 })
  const c = new Client(harness, "c").join()
  const a = new Classic(harness)
  settle(harness, [a], [c])
  const d = new Client(harness, "d").join()
  asked(a)
  const again = new Client(harness, a.memberId).join()
  for (let second = 0; second < 25; second++) {
    harness.advance(1_000)
    for (const one of [c, d, again]) expect(one.beat()).toBe(code.NONE)
  }
})
