/**
 * joinStream, leftJoinStream, outerJoinStream: records of two streams with one key, close enough in time.
 *
 * A left and a right record match when `left - before <= right <= left + after`, by their timestamps. Each record that
 * arrives gives a result for every match that came before it, in the order of the others' times. A result has the greater
 * of both times, and the headers of the record that arrived.
 * What a left join has no match for on its left side, and an outer join on either, is joined with undefined once stream time
 * has passed the last match that could come, grace included; its result has its own time and no headers. No clock delays
 * such results, and no match comes after.
 * State: the rows of each side in a window store, in buckets of time; of left and outer joins also timers for the rows that
 * may stay without a match. All rows of a key within one bucket are written together: joins are for keys whose records
 * are counted in hundreds per window, not in millions.
 * Time: one stream time for both sides, that of the one that is ahead. A late record still meets what is kept of the other side; it is not kept itself once
 * nothing could match it, and is late (late-records.ts) when it has got no result then.
 * A side that comes through a repartition topic comes when its task has committed. Which record of a pair is first then
 * depends on commits, as in Kafka Streams; so does a result without a match, where that side lags by more than the window.
 * Null keys: an inner join drops and counts them; on a side that is joined without a match they get their result at once.
 * Records without a value are dropped and counted.
 */
import type { Serde } from "@millrace/schema"
import { type Duration, durationMs } from "../dsl/duration.ts"
import { isAbsent, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import { lateParts, lateTarget } from "../dsl/late-to.ts"
import type { Topic } from "../dsl/topic.ts"
import { PipelineError } from "../errors.ts"
import { canonicalKey } from "../serde/canonical-key.ts"
import { packed } from "../serde/packed.ts"
import { type SidedKey, sidedKey } from "../serde/sided-key.ts"
import { type Timed, timedList } from "../serde/timed-list.ts"
import type { TimerStore } from "../state/timer-store.ts"
import type { WindowStore } from "../state/window-store.ts"
import { StreamTime } from "../task/stream-time.ts"
import { makeNode, type StoreSpec } from "../topology/node.ts"
import { LateRecords } from "./late-records.ts"
import { type Operator, Processor, type Receiver } from "./operator.ts"

/** `K` and `V`: of the topic for late records, which the records of both streams must fit. */
export interface JoinWindow<K = any, V = any> {
  /** How far apart the two may be, in either direction. */
  readonly within?: Duration
  /** Instead: how much earlier, and how much later, than the left record the right one may be. */
  readonly before?: Duration
  readonly after?: Duration
  /** How late records may be. Default none. */
  readonly grace?: Duration
  /** A topic for records that are later than that and find no match, in the same transaction: dsl/late-to.ts. */
  readonly lateTo?: string | (Topic<any, any> & { readonly key: Takes<K>; readonly value: Takes<V> })
}

/** Of a serde: not a method, so that the compiler lets none pass that takes less. */
interface Takes<T> {
  readonly encode: (value: T) => Uint8Array
}

const joinStreamOperator: Operator = {
  kind: "join-stream",
  keyDependent: true,
  inputNames: ["left", "right"],
  holdsBack: ({ kind }) => kind !== "inner",
  make: (node, context) => new JoinStream(node, context),
}

type Kind = "inner" | "left" | "outer"
type Joiner = (left: any, right: any, key: any) => unknown

export function joinStream<K, V, V2, W, R2, R>(
  name: string,
  other: Stream<K, V2, R2>,
  window: JoinWindow<NoInfer<K>, NoInfer<V | V2>>,
  f: (left: V, right: V2, key: K) => W,
): (s: Stream<K, V, R>) => Stream<K, W, R | R2> {
  return (s) => join("joinStream", "inner", name, s, other, window, f)
}

export function leftJoinStream<K, V, V2, W, R2, R>(
  name: string,
  other: Stream<K, V2, R2>,
  window: JoinWindow<NoInfer<K>, NoInfer<V | V2>>,
  f: (left: V, right: V2 | undefined, key: K) => W,
): (s: Stream<K, V, R>) => Stream<K, W, R | R2> {
  return (s) => join("leftJoinStream", "left", name, s, other, window, f)
}

/** At least one side is there. */
export function outerJoinStream<K, V, V2, W, R2, R>(
  name: string,
  other: Stream<K, V2, R2>,
  window: JoinWindow<NoInfer<K>, NoInfer<V | V2>>,
  f: (left: V | undefined, right: V2 | undefined, key: K) => W,
): (s: Stream<K, V, R>) => Stream<K, W, R | R2> {
  return (s) => join("outerJoinStream", "outer", name, s, other, window, f)
}

/**
 * A bucket is this part of the window. Most keys have one row, so that what counts is how many buckets a look-up asks; the
 * more a bucket holds, the more is written again with a key's next row.
 */
const BUCKETS_PER_WINDOW = 2

function join(what: string, kind: Kind, name: string, s: unknown, other: unknown, window: JoinWindow, f: Joiner): any {
  const inputs = [streamNode(what, s), streamNode(what, other)] as const
  const { beforeMs, afterMs, graceMs } = bounds(what, name, window)
  const late = lateParts(lateTarget(`${what} "${name}"`, window.lateTo))
  const bucketMs = Math.max(1, Math.ceil((beforeMs + afterMs) / BUCKETS_PER_WINDOW))
  const key: Serde<any> | undefined = inputs[0].key
  const rows = (side: "left" | "right", value: Serde<any> | undefined): StoreSpec => ({
    name: `${name}-${side}`,
    kind: "window",
    key,
    value: timedList(value ?? packed),
    retentionMs: beforeMs + afterMs + graceMs + bucketMs,
  })
  const unmatched: StoreSpec = {
    name: `${name}-unmatched`,
    kind: "timer",
    key: sidedKey(key ?? canonicalKey),
    value: undefined,
  }
  const stores = [rows("left", inputs[0].value), rows("right", inputs[1].value)]
  return streamOf(
    makeNode({
      operator: joinStreamOperator,
      name,
      inputs,
      key,
      value: undefined,
      keyChanged: false,
      options: { kind, beforeMs, afterMs, graceMs, bucketMs, ...late.options },
      functions: { f, ...late.functions },
      stores: kind === "inner" ? stores : [...stores, unmatched],
    }),
  )
}

function bounds(what: string, name: string, { within, before, after, grace }: JoinWindow) {
  if (within !== undefined && (before !== undefined || after !== undefined))
    throw new PipelineError(`${what} "${name}": give either within, or before and after`)
  if (within === undefined && before === undefined && after === undefined)
    throw new PipelineError(`${what} "${name}": say how far apart records may be: { within: "5 minutes" }`)
  return {
    beforeMs: durationMs(`${what} before`, before ?? within ?? 0),
    afterMs: durationMs(`${what} after`, after ?? within ?? 0),
    graceMs: durationMs(`${what} grace`, grace ?? 0),
  }
}

const [LEFT, RIGHT] = [0, 1] as const
/** Of a row: whether it had a match. Kept where the other number of a `Timed` is. */
const [UNMATCHED, MATCHED] = [0, 1] as const

type Row = Timed<unknown>

class JoinStream extends Processor {
  readonly #f = this.node.logical.functions["f"] as Joiner
  readonly #options = this.node.logical.options as {
    beforeMs: number
    afterMs: number
    graceMs: number
    bucketMs: number
  }
  readonly #stores = [LEFT, RIGHT].map((side) => this.context.store(this.node.stores[side]!.name)) as WindowStore<
    unknown,
    readonly Row[]
  >[]
  /** Of sides whose rows get a result without a match. */
  readonly #isOuter = [this.node.logical.options["kind"] !== "inner", this.node.logical.options["kind"] === "outer"]
  readonly #unmatched =
    this.node.stores[2] && (this.context.store(this.node.stores[2].name) as TimerStore<SidedKey<unknown>>)
  readonly #late = new LateRecords(this.node, this.context)
  readonly #time = new StreamTime(this.#stores[LEFT]!.streamTime)
  override readonly goesByGreatest = true
  /** A row that may still get its result without a match is no older. */
  override readonly heldMs = Math.max(
    ...[LEFT, RIGHT].map((side) => (this.#isOuter[side] ? this.#lastMatchAt(side, 1) : 0)),
  )

  override input(index: number): Receiver {
    return { receive: (record) => this.#receive(record, index) }
  }

  receive(record: StreamRecord): void {
    this.#receive(record, LEFT)
  }

  #receive(record: StreamRecord, side: number): void {
    if (isAbsent(record.value)) return this.context.drop("tombstone", record)
    if (isAbsent(record.key)) {
      if (!this.#isOuter[side]) return this.context.drop("null-key", record)
      return this.#sendAlone(record, side)
    }
    this.#time.observe(record)
    this.#forget(record)
    const isMatched = this.#match(record, side)
    const lastMatchAt = this.#lastMatchAt(side, record.timestamp)
    if (lastMatchAt >= this.#time.horizon) return this.#keep(record, side, isMatched, lastMatchAt)
    if (isMatched) return
    if (this.#isOuter[side]) this.#sendAlone(record, side)
    else this.#late.drop(record, this.#time.horizon - lastMatchAt, side)
  }

  override advance(time: number, at: StreamRecord): void {
    this.#time.advance(time)
    this.#forget(at)
  }

  #forget(at: StreamRecord): void {
    // Rows of both sides are forgotten by one time.
    this.#stores[RIGHT]!.streamTime.value = this.#stores[LEFT]!.streamTime.value
    this.#sendUnmatched(at)
  }

  #sendAlone(record: StreamRecord, side: number): void {
    const { key, value, timestamp } = record
    this.#send(record, key, this.#joined(record, key, side, value, undefined), timestamp)
  }

  /** Results with all rows of the other side that lie in the record's window. */
  #match(record: StreamRecord, side: number): boolean {
    const { key, timestamp } = record
    const { beforeMs, afterMs, bucketMs } = this.#options
    const [earlier, later] = side === LEFT ? [beforeMs, afterMs] : [afterMs, beforeMs]
    const other = 1 - side
    const store = this.#stores[other]!
    const first = this.#bucketOf(Math.max(0, timestamp - earlier))
    const last = Math.min(timestamp + later, store.latest)
    let isMatched = false
    for (let start = first; start <= last; start += bucketMs) {
      const bucket = store.find(key, start)
      if (bucket.value === undefined) continue
      const matches = bucket.value.filter(
        (row) => row.from >= timestamp - earlier && row.from <= timestamp + later && this.#isOpen(other, row),
      )
      if (matches.length === 0) continue
      isMatched = true
      for (const { from, value } of matches)
        this.#send(record, key, this.#joined(record, key, side, record.value, value), Math.max(timestamp, from))
      if (!this.#isOuter[other] || matches.every(({ to }) => to === MATCHED)) continue
      const marked = bucket.value.map((row) => (matches.includes(row) ? { ...row, to: MATCHED } : row))
      store.put(key, start, marked, bucket.timestamp)
    }
    return isMatched
  }

  #keep({ key, timestamp, value }: StreamRecord, side: number, isMatched: boolean, lastMatchAt: number): void {
    const store = this.#stores[side]!
    const start = this.#bucketOf(timestamp)
    const rows = store.get(key, start)
    const row = { from: timestamp, to: isMatched ? MATCHED : UNMATCHED, value }
    // Rows of one time stay in the order in which they came.
    const at = rows.value?.findIndex(({ from }) => from > timestamp) ?? -1
    const kept = rows.value === undefined ? [row] : at < 0 ? [...rows.value, row] : rows.value.toSpliced(at, 0, row)
    store.put(key, start, kept, Math.max(timestamp, rows.timestamp))
    if (!isMatched && this.#isOuter[side]) this.#unmatched!.set({ side, key }, lastMatchAt + 1)
  }

  /** Rows whose last chance for a match has passed. */
  #sendUnmatched(at: StreamRecord): void {
    this.#unmatched?.fire(this.#time.horizon, ({ side, key }, firedAt) => {
      const timestamp = firedAt - 1 - this.#lastMatchAt(side, 0)
      const { value: rows } = this.#stores[side]!.peek(key, this.#bucketOf(timestamp))
      for (const { from, to, value } of rows ?? [])
        if (from === timestamp && to === UNMATCHED)
          this.next.receive(at.release(key, this.#joined(at, key, side, value, undefined), TOMBSTONE, timestamp))
    })
  }

  /** It is kept for as long as a match in time could come, and has not got its result without one. */
  #isOpen(side: number, { from, to }: Row): boolean {
    const { beforeMs, afterMs, graceMs } = this.#options
    if (from < this.#time.horizon - beforeMs - afterMs - graceMs) return false
    return to === MATCHED || !this.#isOuter[side] || this.#lastMatchAt(side, from) >= this.#time.horizon
  }

  /** The stream time up to which a match for a row of this side can still come. */
  #lastMatchAt(side: number, timestamp: number): number {
    const { beforeMs, afterMs, graceMs } = this.#options
    return timestamp + (side === LEFT ? afterMs : beforeMs) + graceMs
  }

  #bucketOf(timestamp: number): number {
    return Math.floor(timestamp / this.#options.bucketMs) * this.#options.bucketMs
  }

  #joined(record: StreamRecord, key: unknown, side: number, own: unknown, other: unknown): unknown {
    try {
      return side === LEFT ? this.#f(own, other, key) : this.#f(other, own, key)
    } catch (cause) {
      throw this.failed(record, cause)
    }
  }

  #send(record: StreamRecord, key: unknown, value: unknown, timestamp: number): void {
    this.next.receive(record.derive(key, value, timestamp))
  }
}
