/**
 * What becomes of records that come too late for an operator: they are dropped and counted, and where `lateTo` names a
 * topic, written to it in the same transaction.
 *
 * Key, value, timestamp and headers are those of the record that the task read; headers are added that say which operator
 * it was late for, by how many milliseconds it missed, and where the record was read. A record that is late for some of its
 * windows only is written once.
 */
import type { StreamRecord } from "../dsl/record.ts"
import { ANY_PARTITION, type TaskContext } from "../task/context.ts"
import { asRead } from "../task/failures.ts"
import type { PhysicalNode } from "../topology/topology.ts"

export class LateRecords {
  readonly #node: PhysicalNode
  readonly #context: TaskContext
  readonly #topic: string | undefined
  #last: StreamRecord | undefined

  constructor(node: PhysicalNode, context: TaskContext) {
    this.#node = node
    this.#context = context
    this.#topic = (node.logical.options["lateTo"] as string | null | undefined) ?? undefined
    context.atAbort(() => (this.#last = undefined))
  }

  /** Of a record that is late for several windows the first call tells how late it is. */
  drop(record: StreamRecord, lateMs: number): void {
    this.#context.drop("late", record)
    if (this.#topic === undefined || this.#last === record) return
    this.#last = record
    const { timestamp, key, value, headers } = asRead(this.#node, record)
    const header = (field: string, text: string) => ({ key: `millrace.late.${field}`, value: Buffer.from(text) })
    this.#context.metrics.emitted++
    this.#context.output.append(this.#topic, ANY_PARTITION, timestamp, key, value, [
      ...headers,
      header("operator", this.#node.name),
      header("ms", String(lateMs)),
      header("topic", record.topic),
      header("partition", String(record.partition)),
      header("offset", String(record.offset)),
    ])
  }
}
