/**
 * aggregate-table: one value per group from the rows that are in it now (aggregate, reduce and count over a grouped table).
 *
 * State: a key-value store under the operator's name, with its changelog.
 * Time: a row has the greatest timestamp of the changes in it, and so has each change.
 * Of each change the old row is taken out first, by `subtract`, and then the new one put in, by `add`; one change follows.
 * Nothing is taken out where the group has no value. `init` is called when there is none to add to. null or undefined from
 * either callback is no value: at the end it deletes the group's, and the next `add` begins with `init` again.
 */
import { isAbsent, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import type { ChangedValue } from "../serde/change.ts"
import type { KeyValueStore } from "../state/key-value-store.ts"
import { copyOf, type Operator, Processor } from "./operator.ts"

export const aggregateTableOperator: Operator = {
  kind: "aggregate-table",
  keyDependent: true,
  make: (node, context) => new AggregateTable(node, context),
}

type Step = (aggregate: unknown, value: unknown, key: unknown) => unknown

class AggregateTable extends Processor {
  readonly #init = this.node.logical.functions["init"] as () => unknown
  readonly #add = this.node.logical.functions["add"] as Step
  readonly #subtract = this.node.logical.functions["subtract"] as Step
  readonly #store = this.context.store(this.node.stores[0]!.name) as KeyValueStore

  receive(record: StreamRecord): void {
    const { key } = record
    const change = record.value as ChangedValue<unknown>
    const row = this.#store.get(key)
    const timestamp = row.value === undefined ? record.timestamp : Math.max(row.timestamp, record.timestamp)
    const old = this.node.needsOld ? copyOf(this.node, row.value) : TOMBSTONE
    let value: unknown = row.value
    try {
      if (change.old !== undefined && value !== undefined) value = this.#subtract(value, change.old, key)
      if (change.value !== undefined) value = this.#add(isAbsent(value) ? this.#init() : value, change.value, key)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    const kept = value === null ? undefined : value
    this.#store.put(key, kept, timestamp)
    const sent = this.node.outlived ? copyOf(this.node, kept) : (kept ?? TOMBSTONE)
    this.next.receive(record.change(key, sent, old, timestamp))
  }
}
