/** The whole table of a classic group: what each event does in each state. */
import { describe, expect, test } from "vitest"
import { errorName } from "@millrace/protocol"
import type { Token } from "../../src/coordinator/shard.ts"
import { type GroupState, groupStates } from "../../src/group/state.ts"
import { GroupHarness, protocol, rebalanceTimeoutMs } from "./group-harness.ts"

interface Scene {
  readonly g: GroupHarness
  /** The leader, or an id that the group never had. */
  readonly leader: string
  readonly follower: string
  readonly generation: number
}

const long = { sessionTimeoutMs: rebalanceTimeoutMs * 5 }

const scenes: Record<GroupState, () => Scene> = {
  Dead: () => ({ g: new GroupHarness(), leader: "m", follower: "n", generation: 1 }),
  Empty: () => {
    const g = new GroupHarness()
    const [leader, follower] = g.stable(2, long)
    for (const memberId of [leader!, follower!]) g.leave(memberId)
    g.join({ memberId: follower! })
    return { g, leader: leader!, follower: follower!, generation: g.group().generation }
  },
  PreparingRebalance: () => {
    const g = new GroupHarness()
    const [leader, follower] = g.stable(2, long)
    // A newcomer that only asked for an id keeps the group waiting.
    g.join(long)
    g.join({ ...long, memberId: leader! })
    return { g, leader: leader!, follower: follower!, generation: 1 }
  },
  CompletingRebalance: () => {
    const g = new GroupHarness()
    const joined = [g.joinTwice(long), g.joinTwice(long)]
    g.advance(6000)
    const { leader } = g.expectAnswer(joined[0]!.token)
    return { g, leader, follower: joined.find(({ memberId }) => memberId !== leader)!.memberId, generation: 1 }
  },
  Stable: () => {
    const g = new GroupHarness()
    const [leader, follower] = g.stable(2, long)
    return { g, leader: leader!, follower: follower!, generation: 1 }
  },
}

const nameOf = (g: GroupHarness, token: Token<{ errorCode: number }>): string => {
  const answer = g.answer(token)
  return answer === undefined ? "waits" : errorName(answer.errorCode)
}

/** What is asked, and how to name what comes back. */
const events = {
  "join anew": ({ g }: Scene) => nameOf(g, g.join({ apiVersion: 3, ...long })),
  "follower rejoins unchanged": ({ g, follower }: Scene) => nameOf(g, g.join({ memberId: follower, ...long })),
  "follower rejoins changed": ({ g, follower }: Scene) =>
    nameOf(g, g.join({ memberId: follower, protocols: [protocol("range", "new")], ...long })),
  "leader rejoins unchanged": ({ g, leader }: Scene) => nameOf(g, g.join({ memberId: leader, ...long })),
  "follower syncs": ({ g, follower, generation }: Scene) => nameOf(g, g.sync(follower, generation)),
  "leader syncs": ({ g, leader, generation }: Scene) => nameOf(g, g.sync(leader, generation, { [leader]: "all" })),
  heartbeat: ({ g, follower, generation }: Scene) => errorName(g.heartbeat(follower, generation)),
  "heartbeat of an old generation": ({ g, follower }: Scene) => errorName(g.heartbeat(follower, 0)),
  "follower leaves": ({ g, follower }: Scene) => errorName(g.leave(follower)),
  commit: ({ g, follower, generation }: Scene) => errorName(g.commit(1, { memberId: follower, generation })),
  "commit by nobody": ({ g }: Scene) => errorName(g.commit(1)),
  "rebalance timeout": ({ g }: Scene) => (g.advance(rebalanceTimeoutMs), "-"),
  "session timeout": ({ g }: Scene) => (g.advance(long.sessionTimeoutMs), "-"),
} satisfies Record<string, (scene: Scene) => string>

type Event = keyof typeof events

/** Answer, then the state afterwards. */
const table: Record<Event, Record<GroupState, readonly [answer: string, state: GroupState]>> = {
  "join anew": {
    Dead: ["waits", "PreparingRebalance"],
    Empty: ["waits", "PreparingRebalance"],
    PreparingRebalance: ["waits", "PreparingRebalance"],
    CompletingRebalance: ["waits", "PreparingRebalance"],
    Stable: ["waits", "PreparingRebalance"],
  },
  "follower rejoins unchanged": {
    Dead: ["UNKNOWN_MEMBER_ID", "Dead"],
    Empty: ["UNKNOWN_MEMBER_ID", "Empty"],
    PreparingRebalance: ["waits", "PreparingRebalance"],
    CompletingRebalance: ["NONE", "CompletingRebalance"],
    Stable: ["NONE", "Stable"],
  },
  "follower rejoins changed": {
    Dead: ["UNKNOWN_MEMBER_ID", "Dead"],
    Empty: ["UNKNOWN_MEMBER_ID", "Empty"],
    PreparingRebalance: ["waits", "PreparingRebalance"],
    CompletingRebalance: ["waits", "PreparingRebalance"],
    Stable: ["waits", "PreparingRebalance"],
  },
  "leader rejoins unchanged": {
    Dead: ["UNKNOWN_MEMBER_ID", "Dead"],
    Empty: ["UNKNOWN_MEMBER_ID", "Empty"],
    PreparingRebalance: ["waits", "PreparingRebalance"],
    CompletingRebalance: ["NONE", "CompletingRebalance"],
    Stable: ["waits", "PreparingRebalance"],
  },
  "follower syncs": {
    Dead: ["UNKNOWN_MEMBER_ID", "Dead"],
    Empty: ["UNKNOWN_MEMBER_ID", "Empty"],
    PreparingRebalance: ["REBALANCE_IN_PROGRESS", "PreparingRebalance"],
    CompletingRebalance: ["waits", "CompletingRebalance"],
    Stable: ["NONE", "Stable"],
  },
  "leader syncs": {
    Dead: ["UNKNOWN_MEMBER_ID", "Dead"],
    Empty: ["UNKNOWN_MEMBER_ID", "Empty"],
    PreparingRebalance: ["REBALANCE_IN_PROGRESS", "PreparingRebalance"],
    CompletingRebalance: ["NONE", "Stable"],
    Stable: ["NONE", "Stable"],
  },
  heartbeat: {
    Dead: ["UNKNOWN_MEMBER_ID", "Dead"],
    Empty: ["UNKNOWN_MEMBER_ID", "Empty"],
    PreparingRebalance: ["REBALANCE_IN_PROGRESS", "PreparingRebalance"],
    CompletingRebalance: ["NONE", "CompletingRebalance"],
    Stable: ["NONE", "Stable"],
  },
  "heartbeat of an old generation": {
    Dead: ["UNKNOWN_MEMBER_ID", "Dead"],
    Empty: ["UNKNOWN_MEMBER_ID", "Empty"],
    PreparingRebalance: ["ILLEGAL_GENERATION", "PreparingRebalance"],
    CompletingRebalance: ["ILLEGAL_GENERATION", "CompletingRebalance"],
    Stable: ["ILLEGAL_GENERATION", "Stable"],
  },
  "follower leaves": {
    Dead: ["UNKNOWN_MEMBER_ID", "Dead"],
    Empty: ["UNKNOWN_MEMBER_ID", "Empty"],
    PreparingRebalance: ["NONE", "PreparingRebalance"],
    CompletingRebalance: ["NONE", "PreparingRebalance"],
    Stable: ["NONE", "PreparingRebalance"],
  },
  commit: {
    Dead: ["ILLEGAL_GENERATION", "Dead"],
    Empty: ["UNKNOWN_MEMBER_ID", "Empty"],
    PreparingRebalance: ["NONE", "PreparingRebalance"],
    CompletingRebalance: ["REBALANCE_IN_PROGRESS", "CompletingRebalance"],
    Stable: ["NONE", "Stable"],
  },
  "commit by nobody": {
    // It makes a group of offsets alone.
    Dead: ["NONE", "Empty"],
    Empty: ["NONE", "Empty"],
    PreparingRebalance: ["UNKNOWN_MEMBER_ID", "PreparingRebalance"],
    CompletingRebalance: ["UNKNOWN_MEMBER_ID", "CompletingRebalance"],
    Stable: ["UNKNOWN_MEMBER_ID", "Stable"],
  },
  "rebalance timeout": {
    Dead: ["-", "Dead"],
    Empty: ["-", "Empty"],
    PreparingRebalance: ["-", "CompletingRebalance"],
    // Nobody synced: all are out, and the group is left empty.
    CompletingRebalance: ["-", "Empty"],
    Stable: ["-", "Stable"],
  },
  "session timeout": {
    Dead: ["-", "Dead"],
    Empty: ["-", "Empty"],
    PreparingRebalance: ["-", "Empty"],
    CompletingRebalance: ["-", "Empty"],
    Stable: ["-", "Empty"],
  },
}

describe.each(Object.keys(table) as Event[])("%s", (event) => {
  test.each(groupStates)("in %s", (state) => {
    const scene = scenes[state]()
    const current = () => scene.g.shard.state.groups.get("g")?.state ?? "Dead"
    expect(current()).toBe(state)
    const answer = events[event](scene)
    const [expectedAnswer, expectedState] = table[event][state]
    expect([answer, current()]).toEqual([expectedAnswer, expectedState])
  })
})
