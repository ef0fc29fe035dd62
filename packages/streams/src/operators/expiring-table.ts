/**
 * Tables whose rows have a time to live.
 *
 *     S.table(Sessions, { ttl: "1 day" })
 *
 * A row is deleted, and the deletion flows on, once the table's own stream time is the row's timestamp and its time to live
 * beyond it; the change has that time. The table's records alone move it, and rows go before the record that moves time on
 * is processed: state/expiry.ts. A record that is as old when it comes is dropped and counted; a tombstone deletes all the
 * same.
 */
import { isAbsent, NO_HEADERS, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { ExpiringRows } from "../state/expiry.ts"
import type { KeyValueStore } from "../state/key-value-store.ts"
import type { TimerStore } from "../state/timer-store.ts"
import type { TaskContext } from "../task/context.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { copyOf, Processor } from "./operator.ts"

/** The rows of a node that has its rows and then its timers as stores; undefined where they live for ever. */
export function expiringRows(node: PhysicalNode, context: TaskContext): ExpiringRows | undefined {
  const ttlMs = node.logical.options["ttlMs"]
  if (typeof ttlMs !== "number") return undefined
  const [rows, timers] = node.stores.map(({ name }) => context.store(name))
  return new ExpiringRows(rows as KeyValueStore, timers as TimerStore, ttlMs)
}

/** Lets go what a record's time ends, and tells it downstream. Answers the time by which the record is judged. */
export function expire(processor: Processor, rows: ExpiringRows, record: StreamRecord): number {
  return rows.observe(record, (key, value, time) => tellExpired(processor, record, key, value, time))
}

/** Lets go what ends by a time that no record of these rows brought. */
export function expireAt(processor: Processor, rows: ExpiringRows, time: number, at: StreamRecord): void {
  rows.advance(time, (key, value, end) => tellExpired(processor, at, key, value, end))
}

function tellExpired({ node, next }: Processor, at: StreamRecord, key: unknown, value: unknown, time: number): void {
  next.receive(at.change(key, TOMBSTONE, node.needsOld ? copyOf(node, value) : TOMBSTONE, time))
}

/** Upserts a stream into the store of its node, for a time. */
export class ExpiringTableSource extends Processor {
  readonly #store = this.context.store(this.node.stores[0]!.name) as KeyValueStore
  readonly #rows = expiringRows(this.node, this.context)!
  readonly #keepsHeaders = this.node.stores[0]!.headers === true

  override advance(time: number, at: StreamRecord): void {
    expireAt(this, this.#rows, time, at)
  }

  receive(record: StreamRecord): void {
    const { key, value, timestamp } = record
    if (isAbsent(key)) return this.context.drop("null-key", record)
    const clock = expire(this, this.#rows, record)
    const kept = isAbsent(value) ? undefined : value
    if (kept !== undefined && this.#rows.isPast(timestamp, clock)) return this.context.drop("late", record)
    const old = this.node.needsOld ? copyOf(this.node, this.#store.get(key).value) : TOMBSTONE
    const headers = this.#keepsHeaders ? record.headers : NO_HEADERS
    this.#rows.put(key, kept, timestamp, headers)
    this.next.receive(record.change(key, kept ?? TOMBSTONE, old, timestamp, headers))
  }
}
