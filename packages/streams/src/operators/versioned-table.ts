/**
 * Versioned tables (KIP-889, KIP-914): a table whose rows are kept in versions, each from its timestamp until the next.
 *
 *     S.table(Prices, { versioned: { history: "1 hour" } })
 *
 * The row of a key is the version of the greatest timestamp, whatever the order in which versions came. A change to the past
 * flows on too, as a stream record would, and says so (`OUTDATED`): aggregates of grouped tables and joins of tables, which
 * hold what is, drop and count it. What lies before the history, by the clock of the record, is dropped and counted.
 * Derived tables without a store are versioned as the table before them; one that keeps its rows keeps the latest that came.
 */
import { isAbsent, OUTDATED, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import type { VersionedStore } from "../state/versioned-store.ts"
import { StreamTime } from "../task/stream-time.ts"
import type { LogicalNode } from "../topology/node.ts"
import { copyOf, Processor } from "./operator.ts"

/** How far back a table can be read; undefined of one that is not versioned. */
export function historyMsOf({ stores, operator, inputs }: LogicalNode): number | undefined {
  const [store] = stores
  if (store !== undefined) return store.kind === "versioned" ? store.retentionMs : undefined
  return operator.view !== undefined && inputs.length === 1 ? historyMsOf(inputs[0]!) : undefined
}

/** Upserts a stream into the versions of its node. */
export class VersionedTableSource extends Processor {
  readonly #store = this.context.store(this.node.stores[0]!.name) as VersionedStore
  readonly #time = new StreamTime(this.#store.streamTime)

  override advance(time: number): void {
    this.#time.advance(time)
  }

  receive(record: StreamRecord): void {
    const { key, value, timestamp } = record
    if (isAbsent(key)) return this.context.drop("null-key", record)
    const clock = this.#time.observe(record)
    if (timestamp < clock - this.#store.historyMs) return this.context.drop("late", record)
    const kept = isAbsent(value) ? undefined : value
    const before = this.node.needsOld ? copyOf(this.node, this.#store.get(key).value) : TOMBSTONE
    const isLatest = this.#store.put(key, kept, timestamp) === Number.POSITIVE_INFINITY
    this.next.receive(record.change(key, kept ?? TOMBSTONE, isLatest ? before : OUTDATED, timestamp))
  }
}
