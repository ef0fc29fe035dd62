/**
 * window-aggregate: one value per key and window (tumbling, hopping, unlimited).
 *
 * State: a window store under the operator's name, retained for size + grace of stream time, or longer for those who read; a timer per window where
 * windows are emitted when they close.
 * Time: its own stream time (task/stream-time.ts). A window is updated while `end > time - grace`; a record that is late
 * for a window is dropped for that window (late-records.ts), and may still count in a later one. A row has the greatest
 * timestamp of the records in it, and so has each change.
 * Every update is emitted under the key `{ key, start, end }`; or the last one alone, when `end <= time - grace`, before the
 * record that moved the time so far.
 * Records before the origin of the windows belong to none.
 * Records without key or value are dropped and counted; `add` answering null or undefined deletes the row.
 */
import { isAbsent, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { firstWindowStart, type TimeWindows } from "../dsl/windows.ts"
import type { TimerStore } from "../state/timer-store.ts"
import type { WindowStore } from "../state/window-store.ts"
import { StreamTime } from "../task/stream-time.ts"
import { LateRecords } from "./late-records.ts"
import { copyOf, type Operator, Processor } from "./operator.ts"

export const windowAggregateOperator: Operator = {
  kind: "window-aggregate",
  keysWindows: true,
  keyDependent: true,
  holdsBack: ({ emit }) => emit === "on-window-close",
  make: (node, context) => new WindowAggregate(node, context),
}

class WindowAggregate extends Processor {
  readonly #init = this.node.logical.functions["init"] as () => unknown
  readonly #add = this.node.logical.functions["add"] as (aggregate: unknown, value: unknown, key: unknown) => unknown
  readonly #windows = this.node.logical.options as unknown as TimeWindows
  readonly #late = new LateRecords(this.node, this.context)
  readonly #store = this.context.store(this.node.stores[0]!.name) as WindowStore
  /** Of windows that are emitted when they close. */
  readonly #closing = this.node.stores[1] && (this.context.store(this.node.stores[1].name) as TimerStore)
  readonly #time = new StreamTime(this.#store.streamTime)
  /** A window that has not closed ends later than grace ago, and its records are no further before that than it is long. */
  override readonly heldMs = this.#closing === undefined ? 0 : this.#windows.graceMs + this.#windows.sizeMs

  receive(record: StreamRecord): void {
    const { key, timestamp } = record
    if (isAbsent(key)) return this.context.drop("null-key", record)
    if (isAbsent(record.value)) return this.context.drop("tombstone", record)
    const { sizeMs, advanceMs, graceMs } = this.#windows
    const closed = this.#time.observe(record) - graceMs
    if (this.#closing !== undefined) this.#close(this.#closing, record)
    for (let start = firstWindowStart(this.#windows, timestamp); start <= timestamp; start += advanceMs) {
      if (start + sizeMs > closed) this.#update(record, start, start + sizeMs)
      else this.#late.drop(record, closed - start - sizeMs)
    }
  }

  override advance(time: number, at: StreamRecord): void {
    this.#time.advance(time)
    if (this.#closing !== undefined) this.#close(this.#closing, at)
  }

  #update(record: StreamRecord, start: number, end: number): void {
    const windowed = { key: record.key, start, end }
    const row = this.#store.get(record.key, start)
    // A deleted row's time is forgotten, whether or not the deletion has been committed.
    const timestamp = row.value === undefined ? record.timestamp : Math.max(row.timestamp, record.timestamp)
    if (this.#closing !== undefined && row.value === undefined)
      this.#closing.set(record.key, end + this.#windows.graceMs)
    const old = this.node.needsOld ? copyOf(this.node, row.value) : TOMBSTONE
    let value: unknown
    try {
      value = this.#add(row.value === undefined ? this.#init() : row.value, record.value, windowed)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    const kept = value === null ? undefined : value
    this.#store.put(record.key, start, kept, timestamp)
    if (this.#closing !== undefined) return
    const sent = this.node.outlived ? copyOf(this.node, kept) : (kept ?? TOMBSTONE)
    this.next.receive(record.change(windowed, sent, old, timestamp))
  }

  /** Windows that no record can change any more. */
  #close(closing: TimerStore, record: StreamRecord): void {
    const { sizeMs, graceMs } = this.#windows
    closing.fire(this.#time.horizon, (key, due) => {
      const end = due - graceMs
      const row = this.#store.peek(key, end - sizeMs)
      if (row.value === undefined) return
      const sent = this.node.outlived ? copyOf(this.node, row.value) : row.value
      this.next.receive(record.release({ key, start: end - sizeMs, end }, sent, TOMBSTONE, row.timestamp))
    })
  }
}
