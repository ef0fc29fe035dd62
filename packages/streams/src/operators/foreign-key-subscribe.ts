/**
 * The asking half of a foreign-key join (join-foreign-key.ts), where the left table is.
 *
 * State: what each left row names and the version of its last change; the versions' count is a cell beside it.
 * A row that stays with its foreign key subscribes anew, so that it is answered as it is now. A row without a result needs
 * no answer where there is no right row to join with, unless the join is left.
 */
import { isAbsent, OUTDATED, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import type { Demand, Reference, Subscription } from "../serde/foreign-keys.ts"
import type { KeyValueStore } from "../state/key-value-store.ts"
import type { TaskContext } from "../task/context.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { type Operator, Processor } from "./operator.ts"

export const foreignKeySubscribe: Operator = {
  kind: "foreign-key-subscribe",
  make: (node, context) => new ForeignKeySubscribe(node, context),
}

class ForeignKeySubscribe extends Processor {
  readonly #foreignKey = this.node.logical.functions["foreignKey"] as (value: unknown, key: unknown) => unknown
  readonly #isLeft = this.node.logical.options["isLeft"] === true
  readonly #references = this.context.store(this.node.stores[0]!.name) as KeyValueStore<unknown, Reference<unknown>>
  readonly #results = this.context.store(this.node.stores[1]!.name) as KeyValueStore
  readonly #isSame: (left: unknown, right: unknown) => boolean
  readonly #version = this.#references.cell("version")

  constructor(node: PhysicalNode, context: TaskContext) {
    super(node, context)
    const { key } = node.outputs.find(({ kind }) => kind === "repartition-sink")!
    this.#isSame = (left, right) =>
      typeof left === "object" ? Buffer.compare(key.encode(left), key.encode(right)) === 0 : left === right
  }

  receive(record: StreamRecord): void {
    if (record.old === OUTDATED) return this.context.drop("late", record)
    const { key, timestamp } = record
    const before = this.#references.get(key).value
    const foreignKey = isAbsent(record.value) ? undefined : this.#named(record)
    if (before !== undefined && (foreignKey === undefined || !this.#isSame(foreignKey, before.foreignKey)))
      this.#send(record, before, "nothing")
    if (foreignKey === undefined) {
      if (before !== undefined) this.#references.put(key, undefined, timestamp)
      if (!isAbsent(record.value) && !this.#isLeft) this.context.drop("null-key", record)
      return
    }
    const reference = { version: ++this.#version.value, foreignKey }
    this.#references.put(key, reference, timestamp)
    const hasResult = this.#results.get(key).value !== undefined
    this.#send(record, reference, this.#isLeft || hasResult ? "answer" : "row")
  }

  #named(record: StreamRecord): unknown {
    try {
      return this.#foreignKey(record.value, record.key) ?? undefined
    } catch (cause) {
      throw this.failed(record, cause)
    }
  }

  #send(record: StreamRecord, { version, foreignKey }: Reference<unknown>, demand: Demand): void {
    const { partition } = this.context.taskId
    const subscription: Subscription<unknown> = { version, partition, demand, key: record.key }
    this.next.receive(record.change(foreignKey, subscription, TOMBSTONE, record.timestamp))
  }
}
