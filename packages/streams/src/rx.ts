/**
 * rx: RxJS inside a transaction. The only file that knows RxJS.
 *
 * A transaction is a subscription: the observable carries the records of one task and one transaction and completes when
 * the transaction is about to commit; the result must complete too, or the transaction is aborted at its deadline.
 * What RxJS operators may be in here:
 *
 *     map, filter, mergeMap, concatMap, tap                  always: each result is that of its record
 *     bufferCount, groupBy, toArray, reduce                  remember within a transaction only, and where it ends is not to
 *                                                            be relied upon: where the result does not depend on it.
 *                                                            One value by key costs less with reducePerCommit
 *     scan, pairwise, distinctUntilChanged, debounceTime,    never: their memory would be lost with each transaction, and
 *     throttleTime, auditTime, bufferTime                    their clock is no event time. The operators of these names
 *                                                            (operators/remember.ts) keep a store per key
 *     interval, repeat, shareReplay over sources outside     never: they do not complete, or are not taken back by an abort
 *
 * State: none. Time: the record's that a result was derived from with `with` or `withKey`. Key: may change; serdes are not
 * known any more. Order: results follow the order of the records that they were derived from, then that of emission; the
 * rest of the task's records wait behind them. Tombstones are dropped and counted; put `tombstones()` before it to see
 * them as null.
 */
import { type Observable, ReplaySubject, type Subscription } from "rxjs"
import { type Origin, type Rec, StreamRecord, TOMBSTONE } from "./dsl/record.ts"
import { type Stream, streamNode, streamOf } from "./dsl/stream.ts"
import { type Operator, Processor } from "./operators/operator.ts"
import type { TaskContext } from "./task/context.ts"
import type { Slot } from "./task/gate.ts"
import { makeNode } from "./topology/node.ts"
import type { PhysicalNode } from "./topology/topology.ts"

const rxOperator: Operator = {
  kind: "rx",
  suspends: true,
  endsWithTransaction: true,
  make: (node, context) => new Rx(node, context),
}

export function rx<K, V, K2, V2, R>(
  project: (records$: Observable<Rec<K, V>>) => Observable<Rec<K2, V2>>,
): (s: Stream<K, V, R>) => Stream<K2, V2, R> {
  return (s) => {
    const unknown = { key: undefined, value: undefined, keyChanged: true }
    return streamOf(
      makeNode({ operator: rxOperator, inputs: [streamNode("rx", s)], functions: { project }, ...unknown }),
    )
  }
}

class Rx extends Processor {
  readonly #project = this.node.logical.functions["project"] as (records$: Observable<any>) => Observable<any>
  /** Of the open transaction. A late subscriber sees all its records, hence the replay. */
  #records: ReplaySubject<StreamRecord> | undefined
  #subscription: Subscription | undefined
  #slots: Slot[] = []
  #slotsByOrigin = new Map<Origin, Map<number, Slot>>()
  #last: StreamRecord | undefined
  #isSourceComplete = false
  #isResultComplete = false

  constructor(node: PhysicalNode, context: TaskContext) {
    super(node, context)
    context.atCommit(node.level, () => this.#complete())
    context.atAbort(() => this.#forget())
  }

  receive(record: StreamRecord): void {
    if (record.value === TOMBSTONE) return this.context.drop("tombstone", record)
    this.#last = record
    const slot = this.context.suspend(this)
    this.#slots.push(slot)
    let offsets = this.#slotsByOrigin.get(record.origin)
    if (offsets === undefined) this.#slotsByOrigin.set(record.origin, (offsets = new Map()))
    offsets.set(record.offset, slot)
    const records = this.#records ?? this.#subscribe(record)
    records.next(record)
  }

  #subscribe(first: StreamRecord): ReplaySubject<StreamRecord> {
    const records = new ReplaySubject<StreamRecord>()
    this.#records = records
    // An abort leaves this subscription behind: what it still emits belongs to no transaction.
    const isCurrent = () => this.#records === records
    try {
      this.#subscription = this.#project(records.asObservable()).subscribe({
        next: (result) => isCurrent() && this.context.resume(() => this.#emitted(result)),
        error: (cause) => isCurrent() && this.context.fail(this.failed(this.#last ?? first, cause)),
        complete: () => {
          if (!isCurrent()) return
          this.#isResultComplete = true
          this.#settle()
        },
      })
    } catch (cause) {
      throw this.failed(first, cause)
    }
    return records
  }

  #emitted(result: unknown): void {
    const record = result as StreamRecord
    const slot = this.#slotsByOrigin.get(record?.origin)?.get(record?.offset)
    if (slot === undefined) {
      const reason = "rx emitted something that is not derived from a record of its input: use record.with(value)"
      throw this.failed(this.#last!, new TypeError(reason))
    }
    slot.results.push(record instanceof StreamRecord ? record : rebuilt(record))
  }

  #complete(): void {
    if (this.#records === undefined) return
    this.#isSourceComplete = true
    this.#records.complete()
    if (this.#records !== undefined) this.#settle()
  }

  /** Both ends must be complete: a result may be so early, as `take(1)` makes it, and the rest has no results then. */
  #settle(): void {
    if (this.#isSourceComplete && this.#isResultComplete) this.#release()
  }

  #release(): void {
    const slots = this.#slots
    this.#reset()
    this.context.resume(() => {
      for (const slot of slots) slot.release()
    })
  }

  #forget(): void {
    const subscription = this.#subscription
    this.#reset()
    subscription?.unsubscribe()
  }

  #reset(): void {
    this.#records = undefined
    this.#subscription = undefined
    this.#slots = []
    this.#slotsByOrigin = new Map()
    this.#isSourceComplete = false
    this.#isResultComplete = false
  }
}

/** A record that was spread into a plain object. */
const rebuilt = (record: StreamRecord): StreamRecord =>
  new StreamRecord(
    record.key,
    record.value,
    record.timestamp,
    record.headers,
    record.offset,
    record.origin,
    record.clock,
    TOMBSTONE,
  )
