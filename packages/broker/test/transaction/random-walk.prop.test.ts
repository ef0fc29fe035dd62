/**
 * Random walks of producers that share transactional ids, with time and restarts. The harness checks after each step that
 * the log says what memory says. Here: no two producers ever hold the same producer id and epoch, no transaction both
 * commits and aborts, and one that a producer was told is committed never aborts.
 */
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import { type Producer, TransactionHarness } from "./transaction-harness.ts"

type Action =
  | { readonly kind: "init" | "recover" | "add" | "commit" | "abort"; readonly producer: number }
  | { readonly kind: "markers" | "restart" }
  | { readonly kind: "advance"; readonly ms: number }

const producerCount = 4
const anyProducer = fc.integer({ min: 0, max: producerCount - 1 })
const of = <Kind extends "init" | "recover" | "add" | "commit" | "abort">(kind: Kind, weight: number) => ({
  weight,
  arbitrary: fc.record({ kind: fc.constant(kind), producer: anyProducer }),
})
const action: fc.Arbitrary<Action> = fc.oneof(
  of("init", 2),
  of("recover", 2),
  of("add", 6),
  of("commit", 4),
  of("abort", 2),
  { weight: 4, arbitrary: fc.constant({ kind: "markers" } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" } as const) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.constantFrom(1, 30_000, 60_000) }),
  },
)

interface Client {
  readonly transactionalId: string
  held: Producer | undefined
}

class Walk {
  readonly h: TransactionHarness
  readonly #version: number
  readonly #clients: Client[] = Array.from({ length: producerCount }, (_, index) => ({
    transactionalId: index < 2 ? "a" : "b",
    held: undefined,
  }))
  /** Who was given a producer id and epoch. */
  readonly #owners = new Map<string, Client>()
  /** By producer id, epoch and count of transactions so far: how it ended. */
  readonly #ends = new Map<string, boolean>()

  constructor(version: number) {
    this.#version = version
    this.h = new TransactionHarness({ transactionVersion: version })
    // Close to where epochs run out.
    this.h.init({}, { transactionalId: "a" })
    this.h.given({ producerEpoch: 32_763 }, "a")
  }

  run(step: Action): void {
    const { h } = this
    if (step.kind === "advance") h.advance(step.ms)
    else if (step.kind === "markers") h.completeMarkers()
    else if ("producer" in step) this.#act(step.kind, this.#clients[step.producer]!)
    else {
      h.sends.splice(0)
      h.restart()
    }
    this.#watch()
  }

  #act(kind: "init" | "recover" | "add" | "commit" | "abort", client: Client): void {
    const { h } = this
    const { transactionalId, held } = client
    if (kind === "init" || kind === "recover") {
      const got = h.init(kind === "recover" ? (held ?? {}) : {}, { transactionalId })
      if (got.errorCode === ErrorCode.NONE) this.#give(client, got)
      return
    }
    if (held === undefined) return
    if (kind === "add") {
      h.add(held, h.log.length % 3, { transactionalId, version: this.#version === 2 ? 2 : 0 })
      return
    }
    const before = h.shard.state.transactions.get(transactionalId)
    const answer = h.end(held, kind === "commit", this.#version === 2 ? 5 : 4, transactionalId)
    if (answer.errorCode !== ErrorCode.NONE) return
    const state = h.metadata(transactionalId).state
    const ended = kind === "commit" ? ["PrepareCommit", "CompleteCommit"] : ["PrepareAbort", "CompleteAbort"]
    expect(ended, `${before?.state} answered ${kind}`).toContain(state)
    if (this.#version === 2) this.#give(client, answer)
  }

  #give(client: Client, { producerId, producerEpoch }: Producer): void {
    const name = `${producerId}/${producerEpoch}`
    const owner = this.#owners.get(name) ?? client
    expect(owner === client, `${name} belongs to two producers`).toBe(true)
    this.#owners.set(name, client)
    client.held = { producerId, producerEpoch }
  }

  /** A decision, once made, stands until the transaction is over. */
  #watch(): void {
    for (const { transactionalId, state, startTimestamp, producerId } of this.h.shard.state.transactions.values()) {
      const key = `${transactionalId} ${producerId} ${startTimestamp} ${this.#count(transactionalId)}`
      if (state !== "PrepareCommit" && state !== "PrepareAbort") continue
      const commit = state === "PrepareCommit"
      expect(this.#ends.get(key) ?? commit, `transaction ${key} ends twice`).toBe(commit)
      this.#ends.set(key, commit)
    }
  }

  /** Transactions of the id that are over, read from the log. */
  #count(transactionalId: string): number {
    let count = 0
    let open = false
    for (const entry of this.h.log) {
      if (entry.kind !== "record") continue
      const record = this.h.shard.decode(entry.raw)
      if (record?.transactionalId !== transactionalId || record.value === null) continue
      const ongoing = record.value.state !== "CompleteCommit" && record.value.state !== "CompleteAbort"
      if (open && !ongoing) count++
      open = ongoing
    }
    return count
  }
}

for (const version of [1, 2]) {
  test(`whatever producers do, transactions of version ${version} stay whole`, () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 10, maxLength: 80 }), (actions) => {
        const walk = new Walk(version)
        for (const step of actions) walk.run(step)
      }),
      { numRuns: 150 },
    )
  }, 60_000)
}
