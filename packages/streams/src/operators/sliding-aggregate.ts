/**
 * sliding-aggregate: one value per key and sliding window: `[start, start + difference]`, both bounds included.
 *
 * For a record at t there are a left window, which ends at t, and a right one, which begins right after it; the right one
 * only once it has records. So every set of records that lie within the difference has a window, whatever order they come
 * in. Left windows that would begin before the epoch are one, `[0, difference]`.
 * A new window begins with what is in it already, which is what another window holds that has the same records.
 * State: the windows of a key in one row of a key-value store: sliding windows are for keys whose records are counted in
 * hundreds per window, not in millions. Timers by key delete what is past; where windows are emitted when they close there
 * is a timer for each. What is past may be kept for longer, for those who read.
 * Time: its own stream time (task/stream-time.ts). A record is late (late-records.ts) when its left and its right window
 * are; a window is changed while `end >= time - grace`. A row has the greatest timestamp of the records in it, and so has
 * each change. Emitted when it closes, a window is sent once, when `end < time - grace`.
 * Records without key or value are dropped and counted; `add` answering null or undefined deletes the row, and windows that
 * would have begun with its content begin with nothing.
 */
import { isAbsent, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import type { SlidingWindows } from "../dsl/windows.ts"
import type { Timed } from "../serde/timed-list.ts"
import { type Cell, NO_TIME } from "../state/cell.ts"
import type { KeyValueStore } from "../state/key-value-store.ts"
import type { Store } from "../state/store.ts"
import type { TableReader } from "../state/table-reader.ts"
import type { TimerStore } from "../state/timer-store.ts"
import { StreamTime } from "../task/stream-time.ts"
import { LateRecords } from "./late-records.ts"
import { type Operator, Processor } from "./operator.ts"

export const slidingAggregateOperator: Operator = {
  kind: "sliding-aggregate",
  keysWindows: true,
  keyDependent: true,
  holdsBack: ({ emit }) => emit === "on-window-close",
  make: (node, context) => new SlidingAggregate(node, context),
  rows: slidingRows,
}

/** From the window's start to the greatest timestamp in it. */
type Window = Timed<unknown>

/** Reads the table by `{ key, start, end }`. */
function slidingRows(store: Store): TableReader {
  const windows = store as KeyValueStore<unknown, readonly Window[]>
  return ({ key, start }) => {
    const found = windows.get(key).value?.find(({ from }) => from === start)
    return found === undefined ? { value: undefined, timestamp: NO_TIME } : { value: found.value, timestamp: found.to }
  }
}

class SlidingAggregate extends Processor {
  readonly #init = this.node.logical.functions["init"] as () => unknown
  readonly #add = this.node.logical.functions["add"] as (aggregate: unknown, value: unknown, key: unknown) => unknown
  readonly #options = this.node.logical.options as unknown as SlidingWindows
  readonly #late = new LateRecords(this.node, this.context)
  readonly #store = this.context.store(this.node.stores[0]!.name) as KeyValueStore<unknown, readonly Window[]>
  readonly #ends = this.context.store(this.node.stores[1]!.name) as TimerStore
  readonly #closing = this.node.stores[2] && (this.context.store(this.node.stores[2].name) as TimerStore)
  readonly #keptMs = this.node.stores[0]!.retentionMs!
  readonly #cell: Cell = this.#ends.cell("stream-time")
  readonly #time = new StreamTime(this.#cell)
  override readonly heldMs = this.#closing === undefined ? 0 : this.#closesAfterMs + this.#options.differenceMs

  receive(record: StreamRecord): void {
    const { key, timestamp } = record
    if (isAbsent(key)) return this.context.drop("null-key", record)
    if (isAbsent(record.value)) return this.context.drop("tombstone", record)
    const { differenceMs, graceMs } = this.#options
    const closed = this.#time.observe(record) - graceMs
    this.#close(record)
    this.#forget()
    if (timestamp + differenceMs < closed) return this.#late.drop(record, closed - differenceMs - timestamp)
    const before = this.#store.get(key).value ?? []
    const after = this.#slide(record, before, closed)
    this.#store.put(key, after.length === 0 ? undefined : after, timestamp)
    if (before.length === 0 && after.length > 0) this.#ends.set(key, this.#pastAt(after))
  }

  override advance(time: number, at: StreamRecord): void {
    this.#time.advance(time)
    this.#close(at)
    this.#forget()
  }

  #slide(record: StreamRecord, before: readonly Window[], closed: number): readonly Window[] {
    const { timestamp } = record
    const { differenceMs } = this.#options
    const after = new Map(before.map((window) => [window.from, window]))
    /** Of the windows before the record the last; of those around it too. */
    let last: Window | undefined
    let around: Window | undefined
    let previous = NO_TIME
    const leftStart = Math.max(0, timestamp - differenceMs)
    for (const window of before) {
      if (window.from > timestamp) break
      const isBefore = window.from + differenceMs < timestamp
      if (isBefore) last = window
      if ((isBefore || window.from === leftStart) && window.to < timestamp) previous = Math.max(previous, window.to)
      if (isBefore) continue
      around = { ...window, value: this.#copy(window.value) }
      this.#update(record, after, window.from, window, closed)
    }
    const right = around !== undefined && around.to > timestamp ? around : undefined
    const previousRight = previous + 1
    const isPreviousRight = previous !== NO_TIME && previousRight + differenceMs >= timestamp
    const hasLeft = after.has(leftStart)
    if (isPreviousRight && previousRight !== leftStart && !after.has(previousRight))
      this.#update(record, after, previousRight, undefined, closed)
    if (!hasLeft) {
      const content = last !== undefined && last.to >= timestamp - differenceMs ? last : undefined
      this.#update(record, after, leftStart, content && { ...content, value: this.#copy(content.value) }, closed)
    }
    if (right !== undefined && !after.has(timestamp + 1)) this.#put(record, after, timestamp + 1, right, TOMBSTONE)
    return [...after.values()].sort((left, right) => left.from - right.from)
  }

  /** Adds the record to a window that has this content. */
  #update(
    record: StreamRecord,
    after: Map<number, Window>,
    start: number,
    content: Window | undefined,
    closed: number,
  ): void {
    const end = start + this.#options.differenceMs
    if (end < closed) return
    const existing = after.get(start)
    const old = this.node.needsOld && existing !== undefined ? this.#copy(existing.value) : TOMBSTONE
    let value: unknown
    try {
      value = this.#add(content === undefined ? this.#init() : content.value, record.value, {
        key: record.key,
        start,
        end,
      })
    } catch (cause) {
      throw this.failed(record, cause)
    }
    const to = Math.max(content?.to ?? record.timestamp, record.timestamp)
    this.#put(record, after, start, { from: start, to, value }, old)
  }

  #put(record: StreamRecord, after: Map<number, Window>, start: number, { to, value }: Window, old: unknown): void {
    const { differenceMs } = this.#options
    const isKept = value !== null && value !== undefined
    const isNew = isKept && !after.has(start)
    if (isKept) after.set(start, { from: start, to, value })
    else after.delete(start)
    const windowed = { key: record.key, start, end: start + differenceMs }
    if (this.#closing !== undefined) {
      if (isNew) this.#closing.set(record.key, windowed.end + this.#closesAfterMs)
      return
    }
    this.next.receive(record.change(windowed, isKept ? this.#sent(value) : TOMBSTONE, old, to))
  }

  get #closesAfterMs(): number {
    return this.node.logical.options["closesAfterMs"] as number
  }

  #sent(value: unknown): unknown {
    return this.node.outlived ? this.#copy(value) : value
  }

  /** Callbacks may change an aggregate in place: what two windows begin with, and what outlives the call, is a copy. */
  #copy(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value
    const serde = this.#store.spec.value
    return (serde.decode(serde.encode([{ from: 0, to: 0, value }])) as Window[])[0]!.value
  }

  /** Windows that no record can change any more. */
  #close(record: StreamRecord): void {
    const { differenceMs } = this.#options
    this.#closing?.fire(this.#time.horizon, (key, due) => {
      const end = due - this.#closesAfterMs
      const start = end - differenceMs
      const window = this.#store.get(key).value?.find(({ from }) => from === start)
      if (window === undefined) return
      this.next.receive(record.release({ key, start, end }, this.#sent(window.value), TOMBSTONE, window.to))
    })
  }

  /** A window is past when no record that is in time can begin another with its content, and it need not be read any more. */
  #pastAt(windows: readonly Window[]): number {
    return Math.min(...windows.map(({ from }) => from)) + this.#keptMs
  }

  #forget(): void {
    this.#ends.fire(this.#time.horizon, (key, now) => {
      const row = this.#store.get(key)
      if (row.value === undefined) return
      const left = row.value.filter(({ from }) => from + this.#keptMs > now)
      this.#store.put(key, left.length === 0 ? undefined : left, row.timestamp)
      if (left.length > 0) this.#ends.set(key, this.#pastAt(left))
    })
  }
}
