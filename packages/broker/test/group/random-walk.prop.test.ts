/**
 * Random walks of clients, time, failed appends and restarts over a few groups. The harness checks after each step that
 * the log says what memory says, that nobody is answered twice, and the invariants of a group; here also that no two
 * members ever get the same assignment in one generation, and that every request is answered in the end.
 */
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import type { JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import type { SyncGroupResponse } from "@millrace/protocol/messages/sync-group"
import type { Token } from "../../src/coordinator/shard.ts"
import { GroupHarness, type JoinOptions, protocol } from "./group-harness.ts"

/** A client that behaves, mostly: it joins, syncs, beats and now and then does something stupid. */
interface Client {
  readonly options: JoinOptions
  readonly groupInstanceId: string | null
  memberId: string
  generation: number
  joining: Token<JoinGroupResponse> | undefined
  syncing: Token<SyncGroupResponse> | undefined
  joined: JoinGroupResponse | undefined
}

type Action =
  | { readonly kind: "join" | "sync" | "heartbeat" | "leave" | "forget"; readonly client: number }
  | { readonly kind: "commit"; readonly client: number; readonly producer: number }
  | { readonly kind: "marker"; readonly producer: number; readonly commit: boolean }
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "in-vain"; readonly client: number }
  | { readonly kind: "restart" }

const clientCount = 6
const anyClient = fc.integer({ min: 0, max: clientCount - 1 })
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("join" as const), client: anyClient }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("sync" as const), client: anyClient }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("heartbeat" as const), client: anyClient }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const), client: anyClient }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("forget" as const), client: anyClient }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("commit" as const),
      client: anyClient,
      producer: fc.integer({ min: 0, max: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("marker" as const),
      producer: fc.integer({ min: 1, max: 2 }),
      commit: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.constantFrom(0, 500, 3000, 9000, 30_000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("in-vain" as const), client: anyClient }) },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" } as const) },
)

function clients(): Client[] {
  return Array.from({ length: clientCount }, (_, index): Client => {
    const groupInstanceId = index % 3 === 0 ? `instance-${index}` : null
    const protocols = index % 2 === 0 ? ["range", "sticky"] : ["sticky", "range"]
    return {
      groupInstanceId,
      options: {
        groupId: index < 4 ? "g" : "h",
        groupInstanceId,
        protocols: protocols.map((name) => protocol(name, `${name} of ${index}`)),
        rebalanceTimeoutMs: 20_000,
        apiVersion: index === 1 ? 3 : 9,
      },
      memberId: "",
      generation: -1,
      joining: undefined,
      syncing: undefined,
      joined: undefined,
    }
  })
}

class Walk {
  readonly g = new GroupHarness()
  readonly clients = clients()
  readonly open = new Set<Token<unknown>>()
  /** Per group and generation: who got which assignment. */
  readonly assigned = new Map<string, Map<string, string>>()

  run(step: Action): void {
    this.#hear()
    if (step.kind === "advance") this.g.advance(step.ms)
    else if (step.kind === "marker") this.g.marker(step.producer, step.commit)
    else if (step.kind === "restart") this.#restart()
    else this.#act(step, this.clients[step.client]!)
    this.#hear()
  }

  #act(step: Exclude<Action, { kind: "advance" | "marker" | "restart" }>, client: Client): void {
    const { g } = this
    const groupId = client.options.groupId!
    const join = { ...client.options, memberId: client.memberId }
    switch (step.kind) {
      case "join":
        client.joining = g.join(join)
        client.joined = undefined
        this.open.add(client.joining)
        return
      case "in-vain":
        g.askInVain<JoinGroupResponse>((token) => g.joinRequest(token, join))
        return
      case "sync": {
        const { joined } = client
        if (joined === undefined || client.syncing !== undefined) return
        const assignments = Object.fromEntries(joined.members.map(({ memberId }) => [memberId, `part of ${memberId}`]))
        client.syncing = g.sync(client.memberId, client.generation, assignments, {
          groupId,
          groupInstanceId: client.groupInstanceId,
          apiVersion: 4,
        })
        this.open.add(client.syncing)
        return
      }
      case "heartbeat":
        g.heartbeat(client.memberId, client.generation, client.groupInstanceId, groupId)
        return
      case "leave":
        g.leave(client.memberId, client.groupInstanceId, groupId)
        return
      case "forget":
        // A new process of the same client: static members know only their instance id.
        Object.assign(client, {
          memberId: "",
          generation: -1,
          joining: undefined,
          syncing: undefined,
          joined: undefined,
        })
        return
      case "commit": {
        const { memberId, generation, groupInstanceId } = client
        const producer = step.producer === 0 ? {} : { producerId: step.producer }
        g.commit(g.log.length, { groupId, memberId, generation, groupInstanceId, ...producer })
      }
    }
  }

  #restart(): void {
    this.g.restart()
    // Connections broke: clients send what they waited for again.
    this.open.clear()
    for (const client of this.clients) {
      client.joining = undefined
      client.syncing = undefined
    }
  }

  /** Clients read their answers. */
  #hear(): void {
    for (const client of this.clients) {
      const join = client.joining && this.g.answer(client.joining)
      if (join !== undefined) this.#joined(client, join)
      const sync = client.syncing && this.g.answer(client.syncing)
      if (sync === undefined) continue
      client.syncing = undefined
      if (sync.errorCode === ErrorCode.NONE) this.#assigned(client, new TextDecoder().decode(sync.assignment))
    }
    for (const token of this.open) if (this.g.answer(token) !== undefined) this.open.delete(token)
  }

  #joined(client: Client, join: JoinGroupResponse): void {
    client.joining = undefined
    if (join.errorCode === ErrorCode.NONE || join.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      client.memberId = join.memberId
    }
    if (join.errorCode === ErrorCode.UNKNOWN_MEMBER_ID) client.memberId = ""
    if (join.errorCode !== ErrorCode.NONE) return
    client.generation = join.generationId
    client.joined = join
    expect(join.members.length === 0 || join.leader === join.memberId, "only the leader sees members").toBe(true)
  }

  #assigned(client: Client, assignment: string): void {
    if (assignment === "") return
    const generation = `${client.options.groupId} ${client.generation}`
    const owners = this.assigned.get(generation) ?? new Map<string, string>()
    this.assigned.set(generation, owners)
    // A static member's successor inherits what the member it replaced was assigned.
    const owner = client.groupInstanceId ?? client.memberId
    expect(owners.get(assignment) ?? owner, `${assignment} in ${generation}`).toBe(owner)
    owners.set(assignment, owner)
  }
}

test("whatever clients do, groups stay whole", () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 20, maxLength: 120 }), (actions) => {
      const walk = new Walk()
      for (const step of actions) walk.run(step)
      // Nothing happens any more: every rebalance and every session ends, and with it every wait.
      walk.g.advance(400_000)
      walk.run({ kind: "advance", ms: 0 })
      expect([...walk.open], "requests without an answer").toEqual([])
    }),
    { numRuns: 150 },
  )
})
