/**
 * State that can be taken back.
 *
 * A shard changes its state while it decides, before the log has the records. When the append fails, the changes since a
 * mark are undone in reverse order, so memory never holds what the log refused. Kafka keeps snapshots of persistent data
 * structures for this; an undo log does the same for one writer and costs one closure per change.
 *
 * While a log is replayed nothing needs to be undone, and nothing is recorded.
 */
import { invariant } from "@millrace/host"

export class UndoLog {
  #steps: (() => void)[] = []
  #recording = false

  /** Starts to record. Changes from here on can be taken back until `forget`. */
  begin(): void {
    this.#recording = true
  }

  mark(): number {
    return this.#steps.length
  }

  /** Takes back every change since `mark`. */
  rollback(mark: number): void {
    const recording = this.#recording
    this.#recording = false
    while (this.#steps.length > mark) this.#steps.pop()?.()
    this.#recording = recording
  }

  /** The changes so far are in the log: they stay. */
  forget(): void {
    this.#steps.length = 0
    this.#recording = false
  }

  /** Ask before making a step: a load makes millions of changes. */
  get recording(): boolean {
    return this.#recording
  }

  push(step: () => void): void {
    invariant(this.#recording, "an undo step that nobody can take back")
    this.#steps.push(step)
  }
}

/** A map with undo. A value that changes is replaced, never mutated, unless it is itself made of such containers. */
export class UndoMap<Key, Value> {
  readonly #undo: UndoLog
  readonly #entries = new Map<Key, Value>()

  constructor(undo: UndoLog) {
    this.#undo = undo
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key)
  }

  has(key: Key): boolean {
    return this.#entries.has(key)
  }

  set(key: Key, value: Value): void {
    const entries = this.#entries
    const previous = entries.get(key)
    const existed = previous !== undefined || entries.has(key)
    entries.set(key, value)
    if (!this.#undo.recording) return
    this.#undo.push(() => {
      if (existed) entries.set(key, previous as Value)
      else entries.delete(key)
    })
  }

  /** After an undo the entry is back, as the youngest: nothing may depend on the order for more than preference. */
  delete(key: Key): boolean {
    const entries = this.#entries
    const previous = entries.get(key)
    if (!entries.delete(key)) return false
    if (this.#undo.recording) this.#undo.push(() => entries.set(key, previous as Value))
    return true
  }

  clear(): void {
    if (this.#entries.size === 0) return
    const entries = this.#entries
    const before = [...entries]
    entries.clear()
    if (!this.#undo.recording) return
    this.#undo.push(() => {
      for (const [name, value] of before) entries.set(name, value)
    })
  }

  keys(): IterableIterator<Key> {
    return this.#entries.keys()
  }

  values(): IterableIterator<Value> {
    return this.#entries.values()
  }

  [Symbol.iterator](): IterableIterator<[Key, Value]> {
    return this.#entries[Symbol.iterator]()
  }
}

/** One value with undo. */
export class UndoCell<Value> {
  readonly #undo: UndoLog
  #value: Value

  constructor(undo: UndoLog, value: Value) {
    this.#undo = undo
    this.#value = value
  }

  get(): Value {
    return this.#value
  }

  set(value: Value): void {
    const previous = this.#value
    this.#value = value
    if (!this.#undo.recording) return
    this.#undo.push(() => {
      this.#value = previous
    })
  }
}
