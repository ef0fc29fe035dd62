/**
 * Timers by key: times at which an operator wants to be called back about a key, kept like any other state.
 *
 * A stored key is the time (8 bytes, big-endian) and then the key, so that byte order is the order in which timers fire:
 * by time, timers of one time by their keys' bytes. A key may have any number of timers, one per time.
 * The earliest are held in a heap; an entry there may be out of date and is checked when its turn comes, so that setting
 * and deleting cost no search. An abort forgets the heap, which is loaded again from what is committed.
 */
import type { PhysicalStore } from "../topology/topology.ts"
import { byteString, bytesOf } from "./byte-order.ts"
import type { FlushLimits } from "./committed.ts"
import type { StateEngine } from "./engine.ts"
import { StateError } from "../errors.ts"
import { Heap } from "./heap.ts"
import { isCellKey, Store, type WriteStaged } from "./store.ts"
import { TIME_BYTES, timeBytes, timeOf } from "./time-bytes.ts"

/** Committed timers that are read at a time. */
const LOADED_TIMERS = 1_024
/** Above it the latest half is left to the store. */
const HEAP_TIMERS_MAX = 16_384

interface OpenTimer {
  readonly time: number
  readonly isSet: boolean
  /** It was found among what is committed: nobody needs to look again whether its deletion is to be written. */
  readonly isCommitted?: true
}

export class TimerStore<K = any> extends Store {
  /** What the open transaction set and deleted, by stored key. */
  readonly #open = new Map<string, OpenTimer>()
  #heap = new Heap()
  /** Every timer below it is in the heap; undefined when all are. */
  #loadedTo: string | undefined = ""

  constructor(spec: PhysicalStore, engine: StateEngine, limits: FlushLimits) {
    super(spec, engine, limits, 0)
  }

  /** A timer that is set already stays one timer. */
  set(key: K, time: number): void {
    if (!Number.isSafeInteger(time) || time < 0) {
      throw new StateError(`store "${this.spec.name}": a timer at ${time} must be whole milliseconds from 0 on`)
    }
    const stored = this.#storedKey(key, time)
    this.#open.set(stored, { time, isSet: true })
    if (this.#loadedTo === undefined || stored < this.#loadedTo) this.#push(stored)
  }

  delete(key: K, time: number): void {
    this.#open.set(this.#storedKey(key, time), { time, isSet: false })
  }

  /** Takes the timers that are due at `time` out, one after another, and hands them over; those that this sets too. */
  fire(time: number, callback: (key: K, time: number) => void): void {
    if (time < 0) return
    const bound = timeBytes(time + 1)
    for (let stored = this.#earliest(bound); stored !== undefined; stored = this.#earliest(bound))
      this.#take(stored, callback)
  }

  /** Takes the earliest timer out, due or not, and hands it over; answers false when there is none. */
  fireEarliest(callback: (key: K, time: number) => void): boolean {
    const stored = this.#earliest(undefined)
    if (stored !== undefined) this.#take(stored, callback)
    return stored !== undefined
  }

  #take(stored: string, callback: (key: K, time: number) => void): void {
    this.#heap.pop()
    const due = timeOf(stored)
    const timer = { time: due, isSet: false } as const
    this.#open.set(stored, this.#open.has(stored) ? timer : { ...timer, isCommitted: true })
    callback(this.spec.key.decode(bytesOf(stored.slice(TIME_BYTES))), due)
  }

  /** The first that is set, if it lies below the bound. */
  #earliest(bound: string | undefined): string | undefined {
    for (;;) {
      if (this.#heap.size === 0 && !this.#load()) return undefined
      const stored = this.#heap.peek()!
      if (bound !== undefined && stored >= bound) return undefined
      if (this.#isSet(stored)) return stored
      this.#heap.pop()
    }
  }

  #isSet(stored: string): boolean {
    return this.#open.get(stored)?.isSet ?? this.committed.get(stored) !== undefined
  }

  /** Answers whether the heap has got anything. */
  #load(): boolean {
    while (this.#loadedTo !== undefined && this.#heap.size === 0) {
      const from = this.#loadedTo
      let count = 0
      let last: string | undefined
      for (const [stored] of this.committed.range(from === "" ? undefined : from)) {
        if (isCellKey(stored)) continue
        this.#heap.push(stored)
        last = stored
        if (++count === LOADED_TIMERS) break
      }
      const to = count === LOADED_TIMERS ? `${last}\0` : undefined
      for (const [stored, { isSet }] of this.#open) {
        if (isSet && stored >= from && (to === undefined || stored < to)) this.#heap.push(stored)
      }
      this.#loadedTo = to
    }
    return this.#heap.size > 0
  }

  #push(stored: string): void {
    this.#heap.push(stored)
    if (this.#heap.size > HEAP_TIMERS_MAX) this.#loadedTo = this.#heap.keepLower()
  }

  #storedKey(key: K, time: number): string {
    return timeBytes(time) + byteString(this.spec.key.encode(key))
  }

  get openEntries(): number {
    return this.#open.size
  }

  protected stageEntries(write: WriteStaged): void {
    for (const [stored, { time, isSet, isCommitted }] of this.#open) {
      if (isSet) write(stored, true, time)
      else if (isCommitted === true || this.committed.get(stored) !== undefined) write(stored, undefined, time)
    }
  }

  protected closeOverlay(): void {
    this.#open.clear()
  }

  override rollback(): void {
    super.rollback()
    this.#forget()
  }

  override forgetReads(): void {
    super.forgetReads()
    this.#forget()
  }

  #forget(): void {
    this.#heap = new Heap()
    this.#loadedTo = ""
  }

  /** Committed timers in the order in which they fire. */
  *entries(): Iterable<{ readonly key: K; readonly value: true; readonly timestamp: number }> {
    for (const [stored] of this.committed.range()) {
      if (isCellKey(stored)) continue
      yield { key: this.spec.key.decode(bytesOf(stored.slice(TIME_BYTES))), value: true, timestamp: timeOf(stored) }
    }
  }
}
