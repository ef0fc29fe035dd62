/**
 * Joins a record with the row that its key has in the table: the processor of joinTable, and what its other one,
 * join-table-grace.ts, does with records that have waited.
 */
import { isAbsent, type StreamRecord } from "../dsl/record.ts"
import { tableReader } from "../state/table-reader.ts"
import { Processor } from "./operator.ts"
import { historyMsOf } from "./versioned-table.ts"

export class JoinTable extends Processor {
  readonly #f = this.node.logical.functions["f"] as (value: unknown, row: unknown, record: StreamRecord) => unknown
  readonly #isLeft = this.node.logical.options["left"] === true
  readonly #isVersioned = historyMsOf(this.node.reads[0]!.logical) !== undefined
  readonly #row = tableReader(this.node.reads[0]!, this.context)

  receive(record: StreamRecord): void {
    const result = this.joined(record)
    if (result !== undefined) this.next.receive(result)
  }

  /** undefined where there is none. */
  protected joined(record: StreamRecord): StreamRecord | undefined {
    const { key, timestamp } = record
    if (isAbsent(record.value)) return void this.context.drop("tombstone", record)
    const noKey = isAbsent(key)
    if (noKey && !this.#isLeft) return void this.context.drop("null-key", record)
    const row = noKey ? undefined : this.#row(key, this.#isVersioned ? timestamp : undefined).value
    if (row === undefined && !this.#isLeft) return undefined
    let value: unknown
    try {
      value = this.#f(record.value, row, record)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    return record.derive(key, value, timestamp)
  }
}
