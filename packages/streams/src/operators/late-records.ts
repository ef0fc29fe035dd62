/**
 * What becomes of records that come too late for an operator: they are dropped and counted, and where `lateTo` says a topic,
 * written to it in the same transaction.
 *
 * By the topic's definition the record is written as it stands here; by its name, as the task read it (dsl/late-to.ts).
 * Headers are added that say which operator it was late for, by how many milliseconds it missed, and where the record was
 * read. A record that is late for some of its windows only is written once.
 */
import { lateDefinitionOf, lateTopicOf } from "../dsl/late-to.ts"
import type { StreamRecord } from "../dsl/record.ts"
import { ANY_PARTITION, type TaskContext } from "../task/context.ts"
import { asRead, type RawRecord } from "../task/failures.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { streamValue } from "./cogroup.ts"
import { sideEncoder } from "./side-record.ts"

export class LateRecords {
  readonly #node: PhysicalNode
  readonly #context: TaskContext
  readonly #topic: string | undefined
  readonly #encode: (record: StreamRecord, input: number) => RawRecord
  #last: StreamRecord | undefined

  constructor(node: PhysicalNode, context: TaskContext) {
    this.#node = node
    this.#context = context
    this.#topic = lateTopicOf(node.logical)
    this.#encode = this.#encoder()
    context.atAbort(() => (this.#last = undefined))
  }

  /**
   * Of a record that is late for several windows the first call tells how late it is. `input`: of an operator that tells its
   * inputs apart, the record's.
   */
  drop(record: StreamRecord, lateMs: number, input = 0): void {
    if (this.#topic !== undefined && this.#last !== record) this.#write(this.#topic, record, lateMs, input)
    this.#context.drop("late", record)
  }

  #write(topic: string, record: StreamRecord, lateMs: number, input: number): void {
    const { timestamp, key, value, headers } = this.#encode(record, input)
    const header = (field: string, text: string) => ({ key: `millrace.late.${field}`, value: Buffer.from(text) })
    this.#last = record
    this.#context.metrics.emitted++
    this.#context.output.append(topic, ANY_PARTITION, timestamp, key, value, [
      ...headers,
      header("operator", this.#node.name),
      header("ms", String(lateMs)),
      header("topic", record.topic),
      header("partition", String(record.partition)),
      header("offset", String(record.offset)),
    ])
  }

  #encoder(): (record: StreamRecord, input: number) => RawRecord {
    const topic = lateDefinitionOf(this.#node.logical)
    if (topic === undefined) return (record, input) => asRead(this.#node, record, undefined, input)
    const encode = sideEncoder(this.#context, this.#node, topic)
    return (record) => encode(record, streamValue(this.#node.inputs[0]?.logical, record.value))
  }
}
