/**
 * session-aggregate: one value per key and session: records no further apart than the gap.
 *
 * State: the sessions of a key in one row of a key-value store; timers by key, in a store of their own, emit those that are
 * past where that is asked for, and delete those that are past their retention too, which may be longer, for those who read.
 * Time: its own stream time (task/stream-time.ts). A session is `[start, end]`, both bounds included, from its first to its
 * last record. A record joins every session that it lies in or no further than the gap from, and makes one of them. What
 * comes of it is late (late-records.ts) when it ends before `time - grace - gap`; sessions that end before that are
 * past and join nothing. A row's time, and a change's, is the session's end.
 * A session that grows has another key: its tombstone, under the key `{ key, start, end }`, goes before the new one, also
 * where a record inside leaves the bounds as they were. Emitted when it closes, a session is sent once, when it is past.
 * Records without key or value are dropped and counted; `add` answering null or undefined deletes the session.
 */
import { isAbsent, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import type { SessionWindows } from "../dsl/windows.ts"
import type { Timed } from "../serde/timed-list.ts"
import type { KeyValueStore } from "../state/key-value-store.ts"
import { type Cell, NO_TIME } from "../state/cell.ts"
import type { Store } from "../state/store.ts"
import type { TableReader } from "../state/table-reader.ts"
import type { TimerStore } from "../state/timer-store.ts"
import { StreamTime } from "../task/stream-time.ts"
import { LateRecords } from "./late-records.ts"
import { type Operator, Processor } from "./operator.ts"

export const sessionAggregateOperator: Operator = {
  kind: "session-aggregate",
  keysWindows: true,
  keyDependent: true,
  holdsBack: ({ emit }) => emit === "on-window-close",
  make: (node, context) => new SessionAggregate(node, context),
  rows: sessionRows,
}

type Session = Timed<unknown>

/** Reads the table by `{ key, start, end }`. */
function sessionRows(store: Store): TableReader {
  const sessions = store as KeyValueStore<unknown, readonly Session[]>
  return ({ key, start, end }) => {
    const found = sessions.get(key).value?.find(({ from, to }) => from === start && to === end)
    return found === undefined ? { value: undefined, timestamp: NO_TIME } : { value: found.value, timestamp: found.to }
  }
}

class SessionAggregate extends Processor {
  readonly #init = this.node.logical.functions["init"] as () => unknown
  readonly #add = this.node.logical.functions["add"] as (aggregate: unknown, value: unknown, key: unknown) => unknown
  readonly #merge = this.node.logical.functions["merge"] as (left: unknown, right: unknown) => unknown
  readonly #windows = this.node.logical.options as unknown as SessionWindows
  readonly #closesAfterMs = this.node.logical.options["closesAfterMs"] as number
  readonly #isSentOnce = this.#windows.emit === "on-window-close"
  readonly #late = new LateRecords(this.node, this.context)
  readonly #sessions = this.context.store(this.node.stores[0]!.name) as KeyValueStore<unknown, readonly Session[]>
  readonly #ends = this.context.store(this.node.stores[1]!.name) as TimerStore
  /** After its end, the end included. */
  readonly #keptMs = this.node.stores[0]!.retentionMs! + 1
  readonly #cell: Cell = this.#ends.cell("stream-time")
  readonly #time = new StreamTime(this.#cell)
  override readonly heldMs = this.#isSentOnce ? this.#closesAfterMs : 0

  receive(record: StreamRecord): void {
    const { key, timestamp } = record
    if (isAbsent(key)) return this.context.drop("null-key", record)
    if (isAbsent(record.value)) return this.context.drop("tombstone", record)
    const { gapMs, graceMs } = this.#windows
    const closed = this.#time.observe(record) - graceMs - gapMs
    this.#forget(record)
    const sessions = this.#sessions.get(key).value ?? []
    const joined = sessions.filter(
      ({ from, to }) => to >= closed && to >= timestamp - gapMs && from <= timestamp + gapMs,
    )
    const start = joined.reduce((least, { from }) => Math.min(least, from), timestamp)
    const end = joined.reduce((most, { to }) => Math.max(most, to), timestamp)
    if (end < closed) return this.#late.drop(record, closed - end)
    const windowed = { key, start, end }
    // Callbacks may change what they merge.
    const olds = joined.map((session) => (this.node.needsOld ? this.#copy(session.value) : TOMBSTONE))
    let value: unknown
    try {
      value =
        joined.length === 0
          ? this.#init()
          : joined.map((one) => one.value).reduce((left, right) => this.#merge(left, right))
      value = this.#add(value, record.value, windowed)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    const rest = sessions.filter((session) => !joined.includes(session))
    const isKept = value !== null && value !== undefined
    const kept = isKept
      ? [...rest, { from: start, to: end, value }].sort((left, right) => left.from - right.from)
      : rest
    if (this.#isSentOnce) return this.#put(key, sessions, kept, timestamp)
    for (const [index, session] of joined.entries()) this.#send(record, session, TOMBSTONE, olds[index])
    this.#put(key, sessions, kept, timestamp)
    const sent = this.node.outlived ? this.#copy(value) : value
    if (isKept) this.#send(record, { from: start, to: end }, sent, TOMBSTONE)
  }

  override advance(time: number, at: StreamRecord): void {
    this.#time.advance(time)
    this.#forget(at)
  }

  #send(record: StreamRecord, { from, to }: Pick<Session, "from" | "to">, value: unknown, old: unknown): void {
    const windowed = { key: record.key, start: from, end: to }
    this.next.receive(record.change(windowed, value, old, to))
  }

  /** Callbacks may change an aggregate in place: what outlives the call is a copy. */
  #copy(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value
    const serde = this.#sessions.spec.value
    return (serde.decode(serde.encode([{ from: 0, to: 0, value }])) as Session[])[0]!.value
  }

  #put(key: unknown, before: readonly Session[], after: readonly Session[], timestamp: number): void {
    this.#sessions.put(key, after.length === 0 ? undefined : after, timestamp)
    if (after.length === 0) return
    // One timer a key: it is set for what is due first, and again when it fires. A session that grows sets none.
    const now = this.#time.horizon
    const dueAt = this.#dueAt(after, now)
    if (before.length === 0 || dueAt < this.#dueAt(before, now)) this.#ends.set(key, dueAt)
  }

  /** When the first of them is to be emitted, or deleted. */
  #dueAt(sessions: readonly Session[], now: number): number {
    return Math.min(
      ...sessions.map(({ to }) =>
        this.#isSentOnce && to + this.#closesAfterMs > now ? to + this.#closesAfterMs : to + this.#keptMs,
      ),
    )
  }

  #forget(record: StreamRecord): void {
    this.#ends.fire(this.#time.horizon, (key, now) => {
      const { value: sessions, timestamp } = this.#sessions.get(key)
      if (sessions === undefined) return
      const left = sessions.filter(({ to }) => to + this.#keptMs > now)
      if (left.length < sessions.length) this.#sessions.put(key, left.length === 0 ? undefined : left, timestamp)
      if (left.length > 0) this.#ends.set(key, this.#dueAt(left, now))
      if (!this.#isSentOnce) return
      for (const { from, to, value } of sessions) {
        const closesAt = to + this.#closesAfterMs
        // One that is kept for longer is met again when it goes.
        if (this.#keptMs > this.#closesAfterMs ? closesAt !== now : closesAt > now) continue
        const sent = this.node.outlived ? this.#copy(value) : value
        this.next.receive(record.release({ key, start: from, end: to }, sent, TOMBSTONE, to))
      }
    })
  }
}
