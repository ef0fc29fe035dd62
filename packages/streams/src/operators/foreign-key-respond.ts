/**
 * The answering half of a foreign-key join (join-foreign-key.ts), where the right table is.
 *
 * State: who waits for which row. A new subscriber is answered with the row as it is; a change of a row goes to all who
 * wait for it, in the order of the left keys' bytes. Time: an answer has the greater of the row's time and what it answers.
 */
import { isAbsent, OUTDATED, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type Response, SharedRow, type Subscriber, type Subscription } from "../serde/foreign-keys.ts"
import type { SubscriptionStore } from "../state/subscription-store.ts"
import { tableReader } from "../state/table-reader.ts"
import { type Operator, Processor, type Receiver } from "./operator.ts"

export const foreignKeyRespond: Operator = {
  kind: "foreign-key-respond",
  keyDependent: true,
  make: (node, context) => new ForeignKeyRespond(node, context),
}

class ForeignKeyRespond extends Processor {
  readonly #row = tableReader(this.node.reads[0]!, this.context)
  readonly #subscriptions = this.context.store(this.node.stores[0]!.name) as SubscriptionStore

  override input(index: number): Receiver {
    return index === 0 ? this : { receive: (record) => this.#changed(record) }
  }

  /** A subscription. */
  receive(record: StreamRecord): void {
    const { key: foreignKey, timestamp } = record
    const { demand, key, version, partition } = record.value as Subscription<unknown>
    const subscriber = demand === "nothing" ? undefined : { version, partition }
    this.#subscriptions.put(foreignKey, key, subscriber, timestamp)
    if (subscriber === undefined) return
    const row = this.#row(foreignKey)
    if (row.value !== undefined)
      this.#answer(record, key, subscriber, new SharedRow(row.value), Math.max(timestamp, row.timestamp))
    else if (demand === "answer") this.#answer(record, key, subscriber, NO_ROW, timestamp)
  }

  /** A change of the right table. */
  #changed(record: StreamRecord): void {
    if (record.old === OUTDATED) return this.context.drop("late", record)
    const row = isAbsent(record.value) ? NO_ROW : new SharedRow(record.value)
    for (const [key, subscriber] of this.#subscriptions.subscribers(record.key))
      this.#answer(record, key, subscriber, row, record.timestamp)
  }

  #answer(record: StreamRecord, key: unknown, to: Subscriber, row: SharedRow<unknown>, timestamp: number): void {
    const response: Response<unknown> = { version: to.version, partition: to.partition, row }
    this.next.receive(record.change(key, response, TOMBSTONE, timestamp))
  }
}

const NO_ROW = new SharedRow<unknown>(undefined)
