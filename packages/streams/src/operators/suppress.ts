/**
 * suppress: holds a table's changes back, so that fewer follow (KIP-328).
 *
 *     S.suppress("final", S.untilWindowCloses())
 *     S.suppress("calm", S.untilTimeLimit("5 minutes", { maxRecords: 10_000 }))
 *
 * Semantics: dsl/suppressed.ts. What is held back is sent when its time has come, in the order of these times, then of the
 * keys' bytes; or, with emit-early, when there is no room, the earliest first. A change that is sent has the value, the
 * time and the headers of the last one held back, and as its old value the one before the first.
 * Of windows, deletions are not sent, since nothing was; of other tables they are.
 * State: the changes held back by key, with a changelog, and a timer for each. Looked up, a key that is held back has the
 * value that was sent last, without its time and headers: changes do not tell those of the row before.
 * Time: its own stream time (task/stream-time.ts). A window goes once it is closed for the aggregate that it comes from,
 * grace included, so that none changes afterwards; a time limit counts from the first change's own time. Without later
 * records, or time that is told, nothing is sent.
 * A versioned table is refused: a version that was left out would be missing from the history downstream.
 */
import { type StreamRecord, TOMBSTONE, type Windowed } from "../dsl/record.ts"
import { flowOf, type Table, tableOf } from "../dsl/stream.ts"
import { isUnlimited } from "../dsl/windows.ts"
import type { UntilTimeLimit, UntilWindowCloses } from "../dsl/suppressed.ts"
import { PipelineError, StateError } from "../errors.ts"
import { type BufferedChange, bufferedChange } from "../serde/buffered-change.ts"
import { canonicalKey } from "../serde/canonical-key.ts"
import { packed } from "../serde/packed.ts"
import { windowedKey } from "../serde/windowed-key.ts"
import { type Cell, NO_TIME } from "../state/cell.ts"
import type { KeyValueStore } from "../state/key-value-store.ts"
import { tableReader } from "../state/table-reader.ts"
import type { TimerStore } from "../state/timer-store.ts"
import { StreamTime } from "../task/stream-time.ts"
import { hasWindowedKey, makeNode, type StoreSpec } from "../topology/node.ts"
import { copyOf, type Operator, Processor } from "./operator.ts"
import { historyMsOf } from "./versioned-table.ts"
import { windowsOf } from "./windowed-node.ts"

const suppressOperator: Operator = {
  kind: "suppress",
  passesHeaders: true,
  readsOld: true,
  holdsBack: () => true,
  make: (node, context) => new Suppress(node, context),
  rows(store, node, context) {
    const before = tableReader(node.inputs[0]!, context)
    return (key) => {
      const held = (store as Buffer).get(key).value
      return held === undefined ? before(key) : { value: held.old, timestamp: NO_TIME }
    }
  },
}

/** Nothing was sent before a window's one change. */
const suppressWindowsOperator: Operator = { ...suppressOperator, readsOld: false }

type Buffer = KeyValueStore<unknown, BufferedChange<unknown>>

export function suppress(
  name: string,
  until: UntilWindowCloses,
): <K, V, R>(t: Table<Windowed<K>, V, R>) => Table<Windowed<K>, V, R>
export function suppress(name: string, until: UntilTimeLimit): <K, V, R>(t: Table<K, V, R>) => Table<K, V, R>
export function suppress(name: string, until: UntilWindowCloses | UntilTimeLimit): (t: any) => Table<any, any, any> {
  return (t) => {
    const input = flowOf("suppress", t, "table").node
    if (historyMsOf(input) !== undefined) {
      throw new PipelineError(`suppress "${name}": a versioned table's changes are its versions: none can be left out`)
    }
    const windows = hasWindowedKey(input) ? windowsOf(input) : undefined
    const isFinal = until.kind === "window-closes"
    if (isFinal && windows === undefined) {
      throw new PipelineError(`suppress "${name}": untilWindowCloses takes a table over windows; use untilTimeLimit`)
    }
    if (isFinal && isUnlimited(windows!.options)) {
      throw new PipelineError(`suppress "${name}": an unlimited window never closes; use untilTimeLimit`)
    }
    const key = windows === undefined ? input.key : windowedKey(windows.inputs[0]!.key ?? canonicalKey)
    const buffer: StoreSpec = { name, kind: "key-value", key, value: bufferedChange(input.value ?? packed) }
    const due: StoreSpec = { name: `${name}-due`, kind: "timer", key, value: undefined }
    const { kind, limitMs, maxRecords, maxBytes, emitsEarly } = until
    const closeMs = isFinal ? (windows!.options["closesAfterMs"] as number) : 0
    const { sizeMs = 0, differenceMs = 0 } = (windows?.options ?? {}) as { sizeMs?: number; differenceMs?: number }
    const heldMs = isFinal ? closeMs + sizeMs + differenceMs : limitMs
    const options = { until: kind, limitMs, maxRecords, maxBytes, emitsEarly, closeMs, heldMs }
    const operator = isFinal ? suppressWindowsOperator : suppressOperator
    return tableOf(makeNode({ operator, name, inputs: [input], options, stores: [buffer, due] }))
  }
}

class Suppress extends Processor {
  readonly #options = this.node.logical.options as {
    readonly until: string
    readonly limitMs: number
    readonly maxRecords: number | null
    readonly maxBytes: number | null
    readonly emitsEarly: boolean
    readonly closeMs: number
    readonly heldMs: number
  }
  readonly #isFinal = this.#options.until === "window-closes"
  readonly #buffer = this.context.store(this.node.stores[0]!.name) as Buffer
  readonly #due = this.context.store(this.node.stores[1]!.name) as TimerStore
  readonly #records: Cell = this.#buffer.cell("records")
  readonly #bytes: Cell = this.#buffer.cell("bytes")
  readonly #time = new StreamTime(this.#buffer.cell("stream-time"))
  override readonly heldMs = this.#options.heldMs

  receive(record: StreamRecord): void {
    this.#time.observe(record)
    this.#hold(record)
    this.#release(record)
    while (this.#isFull) {
      if (!this.#options.emitsEarly) throw this.#full()
      this.#due.fireEarliest((key) => this.#send(record, key))
    }
  }

  override advance(time: number, at: StreamRecord): void {
    this.#time.advance(time)
    this.#release(at)
  }

  #release(at: StreamRecord): void {
    this.#due.fire(this.#time.horizon, (key) => this.#send(at, key))
  }

  #hold(record: StreamRecord): void {
    const { key, timestamp, headers } = record
    const { value: held } = this.#buffer.get(key)
    const value = record.value === TOMBSTONE ? undefined : record.value
    if (this.#isFinal && value === undefined) {
      if (held === undefined) return
      this.#due.delete(key, this.#dueOf(record))
      return this.#remove(key, held, timestamp)
    }
    const old = held === undefined ? (record.old === TOMBSTONE ? undefined : record.old) : held.old
    const bytes = this.#options.maxBytes === null ? 0 : this.#sizeOf(key, { old, value, bytes: 0 })
    if (held === undefined) {
      this.#due.set(key, this.#dueOf(record))
      this.#records.value = Math.max(0, this.#records.value) + 1
    }
    this.#bytes.value = Math.max(0, this.#bytes.value) + bytes - (held?.bytes ?? 0)
    this.#buffer.put(key, { old, value, bytes }, timestamp, headers)
  }

  #dueOf({ key, timestamp }: StreamRecord): number {
    const { limitMs, closeMs } = this.#options
    return this.#isFinal ? (key as Windowed<unknown>).end + closeMs : timestamp + limitMs
  }

  #remove(key: unknown, { bytes }: BufferedChange<unknown>, timestamp: number): void {
    this.#records.value--
    this.#bytes.value -= bytes
    this.#buffer.put(key, undefined, timestamp)
  }

  #send(record: StreamRecord, key: unknown): void {
    const { value: held, timestamp, headers } = this.#buffer.get(key)
    if (held === undefined) return
    const sent = this.node.outlived ? (copyOf(this.node, held) as BufferedChange<unknown>) : held
    this.#remove(key, held, timestamp)
    this.next.receive(record.release(key, sent.value ?? TOMBSTONE, sent.old ?? TOMBSTONE, timestamp, headers))
  }

  #sizeOf(key: unknown, change: BufferedChange<unknown>): number {
    const { spec } = this.#buffer
    return spec.key.encode(key).length + spec.value.encode(change).length
  }

  get #isFull(): boolean {
    const { maxRecords, maxBytes } = this.#options
    return (
      (maxRecords !== null && this.#records.value > maxRecords) || (maxBytes !== null && this.#bytes.value > maxBytes)
    )
  }

  #full(): StateError {
    const { maxRecords, maxBytes } = this.#options
    const limits = [maxRecords !== null && `${maxRecords} records`, maxBytes !== null && `${maxBytes} bytes`]
    return new StateError(
      `pipeline "${this.context.pipeline}", operator "${this.node.name}": its buffer is full at ` +
        `${limits.filter(Boolean).join(" or ")}: raise the limit, or shorten what it waits for`,
    )
  }
}
