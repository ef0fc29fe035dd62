/**
 * Drives a shard without its runtime, and checks after every step what must hold of any shard:
 *  - a request gets at most one answer;
 *  - the state that a fresh shard gets from the log is the state in memory;
 *  - a step whose append fails changes nothing.
 */
import { isDeepStrictEqual } from "node:util"
import { expect } from "vitest"
import type { CoordinatorShard, Decision, RawRecord, Token, TransactionScope } from "../../src/coordinator/shard.ts"

type LogEntry =
  | { readonly kind: "record"; readonly raw: RawRecord; readonly scope: TransactionScope | undefined }
  | { readonly kind: "marker"; readonly producerId: number; readonly commit: boolean }

interface HarnessOptions<Shard> {
  create(): Shard
  /** Durable state as plain data. */
  durable(shard: Shard): unknown
  /** All state as plain data, for the check that a failed step leaves no trace. */
  everything(shard: Shard): unknown
  /** What else must hold, of the shard in memory. */
  check?(shard: Shard): void
}

export class ShardHarness<
  Request,
  Record,
  Timeout,
  Send,
  Shard extends CoordinatorShard<Request, Record, Timeout, Send>,
> {
  readonly #options: HarnessOptions<Shard>
  readonly log: LogEntry[] = []
  readonly sends: Send[] = []
  readonly #answers = new Map<number, unknown>()
  #timers = new Map<string, { readonly at: number; readonly timeout: Timeout }>()
  #nextToken = 1
  shard: Shard
  now = 1_700_000_000_000

  constructor(options: HarnessOptions<Shard>) {
    this.#options = options
    this.shard = options.create()
    this.#apply(this.shard.load(this.now), undefined)
  }

  ask<Response>(make: (token: Token<Response>) => Request, scope?: TransactionScope): Token<Response> {
    const token = this.#nextToken++ as Token<Response>
    const request = make(token)
    this.#step(() => this.shard.handle(request, this.now), scope)
    return token
  }

  /** Asks while the log refuses to append: nothing may change. Requests that write nothing succeed as ever. */
  askInVain<Response>(make: (token: Token<Response>) => Request): void {
    const token = this.#nextToken++ as Token<Response>
    const before = this.#options.everything(this.shard)
    this.shard.undo.begin()
    this.shard.handle(make(token), this.now)
    this.shard.undo.rollback(0)
    this.shard.undo.forget()
    same(this.#options.everything(this.shard), before, "a step that was taken back left a trace")
  }

  marker(producerId: number, commit: boolean): void {
    this.log.push({ kind: "marker", producerId, commit })
    this.shard.replayMarker({ producerId, producerEpoch: 0, commit })
    this.#verify()
  }

  answer<Response>(token: Token<Response>): Response | undefined {
    return this.#answers.get(token) as Response | undefined
  }

  /** Fires timers as time passes. */
  advance(ms: number): void {
    const end = this.now + ms
    for (;;) {
      const [due] = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)
      if (due === undefined) break
      const [key, { at, timeout }] = due
      this.#timers.delete(key)
      this.now = Math.max(this.now, at)
      this.#step(() => this.shard.expire(timeout, this.now), undefined)
    }
    this.now = end
  }

  /** The process dies and a new one reads the log. Who waited gets no answer. */
  restart(): void {
    this.shard = this.#replayed()
    this.#timers = new Map()
    this.#apply(this.shard.load(this.now), undefined)
    this.#verify()
  }

  get timerKeys(): string[] {
    return [...this.#timers.keys()]
  }

  #step(decide: () => Decision<Record, Timeout, Send>, scope: TransactionScope | undefined): void {
    this.shard.undo.begin()
    const decision = decide()
    this.#apply(decision, scope)
    this.shard.undo.forget()
    this.#verify()
  }

  #apply(decision: Decision<Record, Timeout, Send>, scope: TransactionScope | undefined): void {
    for (const record of decision.records) {
      const offset = this.log.length
      this.log.push({ kind: "record", raw: this.shard.encode(record), scope })
      this.shard.replay(record, { offset, transaction: scope })
    }
    for (const { token, response } of decision.replies) {
      expect(this.#answers.has(token), `request ${token} is answered twice`).toBe(false)
      this.#answers.set(token, response)
    }
    for (const { key, delayMs, timeout } of decision.timers) {
      if (delayMs === null) this.#timers.delete(key)
      else this.#timers.set(key, { at: this.now + delayMs, timeout: timeout as Timeout })
    }
    this.sends.push(...decision.sends)
  }

  #replayed(): Shard {
    const shard = this.#options.create()
    for (const [offset, entry] of this.log.entries()) {
      if (entry.kind === "marker") {
        shard.replayMarker({ producerId: entry.producerId, producerEpoch: 0, commit: entry.commit })
        continue
      }
      const record = shard.decode(entry.raw)
      if (record !== undefined) shard.replay(record, { offset, transaction: entry.scope })
    }
    return shard
  }

  #verify(): void {
    const { durable, check } = this.#options
    same(durable(this.#replayed()), durable(this.shard), "the log and memory disagree")
    check?.(this.shard)
  }
}

/** Cheaper than an assertion library's comparison, which these tests do thousands of times. */
function same(actual: unknown, expected: unknown, message: string): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual, message).toEqual(expected)
}
