/**
 * Random walks of consumers of both protocols over one group, with time, restarts and new partitions. The harness checks
 * after each step that no partition has two owners, and that the log says what memory says; here also that no two members
 * read the same, and that in the end those that are left read every partition.
 */
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import type { MigrationPolicy } from "../../src/group/config.ts"
import { Classic, settle } from "./classic-consumer.ts"
import { Client, ConsumerHarness } from "./consumer/consumer-harness.ts"

type Action =
  | { readonly kind: "classic" | "client"; readonly at: number; readonly does: "step" | "leave" }
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "restart" | "partition" }

const COUNT = 3
const at = fc.integer({ min: 0, max: COUNT - 1 })
const does = fc.oneof(
  { weight: 6, arbitrary: fc.constant("step" as const) },
  { weight: 1, arbitrary: fc.constant("leave" as const) },
)
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("classic" as const), at, does }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("client" as const), at, does }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.constantFrom(500, 3_000, 21_000, 46_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("restart" as const, "partition" as const) }) },
)
const policy = fc.constantFrom("bidirectional" as const, "upgrade" as const)
/** Members that a walk begins with: a group that is at rest gets there by chance only now and then. */
const settled = fc.integer({ min: 0, max: COUNT - 1 })

class Walk {
  readonly harness: ConsumerHarness
  readonly #policy: MigrationPolicy
  readonly #classics = new Map<number, Classic>()
  readonly #clients = new Map<number, Client>()
  #partitions = 4
  #next = 0

  constructor(policy: MigrationPolicy, members: number) {
    this.#policy = policy
    this.harness = new ConsumerHarness({ t: 4 }, { "group.consumer.migration.policy": policy })
    for (let index = COUNT - members; index < COUNT; index++) this.#classics.set(index, this.#newClassic(index))
    settle(this.harness, [...this.#classics.values()])
  }

  run(action: Action): void {
    this.#act(action)
    const read = this.#read()
    expect(new Set(read).size, `${read} after ${JSON.stringify(action)}`).toBe(read.length)
  }

  #act(action: Action): void {
    switch (action.kind) {
      case "classic":
        return this.#classic(action.at, action.does)
      case "client":
        return this.#client(action.at, action.does)
      case "advance":
        return this.harness.advance(action.ms)
      case "partition":
        return this.harness.topics.set("t", ++this.#partitions)
      case "restart":
        this.harness.restart()
        for (const one of this.#classics.values()) one.disconnected()
    }
  }

  end(): void {
    const [classics, clients] = [[...this.#classics.values()], [...this.#clients.values()]]
    // Whom nobody hears of any more is out by then, and so is what they had.
    for (let round = 0; round < 12; round++) {
      for (const one of classics) one.step()
      for (const one of clients) if (one.beat() !== ErrorCode.NONE) one.join()
      this.harness.advance(5_000)
    }
    settle(this.harness, classics, clients)
    if (classics.length + clients.length === 0) return
    expect(this.#read()).toEqual(Array.from({ length: this.#partitions }, (_, index) => index))
    const isConsumer = this.harness.shard.state.consumerGroups.has("g")
    if (clients.length > 0) expect(isConsumer).toBe(true)
    else if (this.#policy === "bidirectional") expect(isConsumer).toBe(false)
  }

  /** What members read, in order. Those that are out, and have not heard yet, do not count. */
  #read(): number[] {
    const group = this.harness.shard.state.consumerGroups.get("g")
    const classics = [...this.#classics.values()].filter(({ isIn }) => isIn)
    const clients = [...this.#clients.values()].filter(({ memberId }) => group?.members.has(memberId))
    const read = [...classics.map(({ owned }) => owned), ...clients.map(({ partitions }) => partitions)]
    return read.flatMap(({ t }) => t ?? []).sort((left, right) => left - right)
  }

  #classic(index: number, does: "step" | "leave"): void {
    const one = this.#classics.get(index) ?? this.#newClassic(index)
    if (does === "step") {
      this.#classics.set(index, one)
      one.step()
    } else if (this.#classics.delete(index)) one.leave()
  }

  #newClassic(index: number): Classic {
    return new Classic(this.harness, { isCooperative: index > 0 })
  }

  #client(index: number, does: "step" | "leave"): void {
    const known = this.#clients.get(index)
    if (does === "leave") {
      this.#clients.delete(index)
      return known?.leave()
    }
    if (known === undefined) this.#clients.set(index, new Client(this.harness, `client ${this.#next++}`).join())
    else if (known.beat() !== ErrorCode.NONE) known.join()
  }
}

test("96: whatever consumers of both protocols do, each partition is read by one of them", () => {
  fc.assert(
    fc.property(policy, settled, fc.array(action, { minLength: 10, maxLength: 60 }), (name, members, actions) => {
      const walk = new Walk(name, members)
      for (const step of actions) walk.run(step)
      walk.end()
    }),
    { numRuns: 60 },
  )
}, 60_000)
