/**
 * Rows that go once stream time is their timestamp and a time to live beyond it.
 *
 * State: the rows' own store, and timers by key beside it that say when to look at a row again. A row that was put anew in
 * the meantime gets its timer then, so a put costs no timer unless the row is new or older than it was.
 * Rows go before the record that moves stream time to or past their end is processed, the earliest first; so who sees which
 * row depends on the input alone. Their tombstones are in the changelog of that transaction.
 * Rows from before a time to live was given get their timers with the first record.
 */
import type { Headers, StreamRecord } from "../dsl/record.ts"
import { StreamTime } from "../task/stream-time.ts"
import { type Cell, NO_TIME } from "./cell.ts"
import type { KeyValueStore } from "./key-value-store.ts"
import type { TimerStore } from "./timer-store.ts"

export class ExpiringRows<K = any, V = any> {
  readonly #rows: KeyValueStore<K, V>
  readonly #timers: TimerStore<K>
  readonly #ttlMs: number
  /** Whether the rows that were there before have their timers. */
  readonly #adopted: Cell
  readonly #time: StreamTime

  constructor(rows: KeyValueStore<K, V>, timers: TimerStore<K>, ttlMs: number) {
    this.#rows = rows
    this.#timers = timers
    this.#ttlMs = ttlMs
    this.#adopted = timers.cell("adopted")
    this.#time = new StreamTime(timers.cell("stream-time"))
  }

  /**
   * Takes a record's time in, and lets rows go: each is told, once it went, with its value and the time at which it ended.
   * Answers the time by which the record is judged.
   */
  observe(record: StreamRecord, onExpired: (key: K, value: V, time: number) => void): number {
    const clock = this.#time.observe(record)
    this.#expire(onExpired)
    return clock
  }

  /** Event time has come so far, by no record of the rows' own: see task/time-advance.ts. */
  advance(time: number, onExpired: (key: K, value: V, time: number) => void): void {
    this.#time.advance(time)
    this.#expire(onExpired)
  }

  #expire(onExpired: (key: K, value: V, time: number) => void): void {
    if (this.#adopted.value === NO_TIME) this.#adopt()
    this.#timers.fire(this.#time.horizon, (key, time) => {
      const { value, timestamp } = this.#rows.get(key)
      if (value === undefined) return
      const end = timestamp + this.#ttlMs
      if (end > time) return this.#timers.set(key, end)
      this.#rows.put(key, undefined, end)
      onExpired(key, value, end)
    })
  }

  #adopt(): void {
    this.#adopted.value = 0
    for (const { key, timestamp } of this.#rows.entries()) this.#timers.set(key, timestamp + this.#ttlMs)
  }

  /** A row of that timestamp would be gone already, for a record that is judged by `clock`. */
  isPast(timestamp: number, clock: number): boolean {
    return timestamp + this.#ttlMs <= clock
  }

  put(key: K, value: V | undefined, timestamp: number, headers?: Headers): void {
    const before = this.#rows.get(key)
    if (value !== undefined && (before.value === undefined || timestamp < before.timestamp))
      this.#timers.set(key, timestamp + this.#ttlMs)
    this.#rows.put(key, value, timestamp, headers)
  }
}
