/**
 * group-table: the changes of a table under the key that keyBy makes of each row (Kafka Streams' KGroupedTable).
 *
 * State: none; the old value comes with the change. Time: the change's.
 * A change leaves the old row's group and enters the new row's. Where both have one key, told by its bytes, it stays one
 * record with both values, so that the aggregate is never seen without the row (KIP-904); otherwise the old row's record
 * goes first. Groups lie in partitions of their own: whose record is aggregated first is then undefined.
 * A row that is absent, or for which keyBy answers null or undefined, leaves or enters no group: that half is skipped, and
 * counted where the key was missing. A change to the past of a versioned table is dropped and counted (KIP-914).
 */
import type { Serde } from "@millrace/schema"
import { isAbsent, OUTDATED, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { Flow } from "../dsl/stream.ts"
import { type ChangedValue, changeSerde } from "../serde/change.ts"
import { packed } from "../serde/packed.ts"
import { byteString } from "../state/byte-order.ts"
import { type LogicalNode, makeNode } from "../topology/node.ts"
import { type Operator, Processor } from "./operator.ts"

const groupTableOperator: Operator = {
  kind: "group-table",
  readsOld: true,
  make: (node, context) => new GroupTable(node, context),
}

interface Serdes {
  readonly key: Serde<any> | undefined
  readonly value: Serde<any> | undefined
}

export function groupTable(input: LogicalNode, f: (value: any, key: any) => unknown, { key, value }: Serdes): Flow {
  const row = value ?? packed
  const node = makeNode({
    operator: groupTableOperator,
    inputs: [input],
    functions: { f, row: () => row },
    key,
    value: changeSerde(row),
    keyChanged: true,
  })
  return new Flow("grouped table", node)
}

/** Of the rows of a grouped table, whose records hold two of them. */
export const rowSerde = ({ operator, functions }: LogicalNode): Serde<any> | undefined =>
  operator === groupTableOperator ? (functions["row"]!() as Serde<any>) : undefined

class GroupTable extends Processor {
  readonly #f = this.node.logical.functions["f"] as (value: unknown, key: unknown) => unknown

  receive(record: StreamRecord): void {
    if (record.old === OUTDATED) return this.context.drop("late", record)
    const left = this.#group(record, record.old)
    const entered = this.#group(record, record.value)
    if (left !== undefined && entered !== undefined && this.#isSame(record, left, entered)) {
      return this.#send(record, entered, { old: record.old, value: record.value })
    }
    if (left !== undefined) this.#send(record, left, { old: record.old, value: undefined })
    if (entered !== undefined) this.#send(record, entered, { old: undefined, value: record.value })
  }

  /** undefined: none. */
  #group(record: StreamRecord, row: unknown): unknown {
    if (isAbsent(row)) return undefined
    let key: unknown
    try {
      key = this.#f(row, record.key)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    if (!isAbsent(key)) return key
    this.context.drop("null-key", record)
    return undefined
  }

  #isSame(record: StreamRecord, left: unknown, entered: unknown): boolean {
    if (left === entered) return true
    const { key } = this.node
    try {
      return byteString(key.encode(left)) === byteString(key.encode(entered))
    } catch (cause) {
      throw this.failed(record, cause)
    }
  }

  #send(record: StreamRecord, key: unknown, change: ChangedValue<unknown>): void {
    this.next.receive(record.change(key, change, TOMBSTONE, record.timestamp))
  }
}
