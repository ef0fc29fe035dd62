/**
 * reducePerCommit: of each key one record per transaction, made of all that came in it.
 *
 *     S.keyBy(({ auction }) => auction), S.reducePerCommit(sum), S.reduce("sums", sum)
 *         a key's records go through the repartition topic, and into the table, as one: what Flink calls local aggregation
 *         of mini-batches, and MapReduce a combiner
 *     S.toStream(), S.reducePerCommit((_, last) => last), S.to(Totals)
 *         the topic gets the last change of a key alone: what Kafka Streams' record cache does
 *
 * How many records come out depends on where transactions end, and with at-least-once a result waits as long as commits are
 * apart: so it is nowhere unless it is written. What they amount to depends on the input alone where `f` is associative
 * and what follows takes a key's records as one or as several: a table's last row, a sum of sums. A count of records does not,
 * nor does what asks for the time of each: windows, sessions and joins of streams stand before it.
 *
 * State: none; what an aborted transaction gathered is gone with it. Time: the greatest of the records in it, as in
 * aggregates. Headers: those of the last. Key: kept, whether or not records are partitioned by it; serdes too.
 * Order: a result stands where the last record in it stood, so that it meets the rows that this one would have met; all that
 * follows waits for the commit. Tombstones pass, and what came before one is not put together with what comes after it;
 * records without a key pass too. `f` makes a new value: the two that it is given may be in use elsewhere.
 */
import type { Serde } from "@millrace/schema"
import { isAbsent, type StreamRecord } from "../dsl/record.ts"
import { type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import { canonicalKey } from "../serde/canonical-key.ts"
import { windowedKey } from "../serde/windowed-key.ts"
import { byteString } from "../state/byte-order.ts"
import type { TaskContext } from "../task/context.ts"
import type { Slot } from "../task/gate.ts"
import { hasWindowedKey, type LogicalNode, makeNode } from "../topology/node.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { type Operator, Processor } from "./operator.ts"
import { windowsOf } from "./windowed-node.ts"

/** Of one task: with so many results a transaction ends. */
const RESULTS_MAX = 10_000

const reducePerCommitOperator: Operator = {
  kind: "reduce-per-commit",
  suspends: true,
  endsWithTransaction: true,
  make: (node, context) => new ReducePerCommit(node, context),
}

export function reducePerCommit<V>(f: (reduced: V, value: V) => V): <K, R>(s: Stream<K, V, R>) => Stream<K, V, R> {
  return (s) => {
    const input = streamNode("reducePerCommit", s)
    const key = keyOf(input)
    return streamOf(makeNode({ operator: reducePerCommitOperator, inputs: [input], functions: { f, key: () => key } }))
  }
}

/** Tells keys apart that are objects. */
function keyOf(input: LogicalNode): Serde<any> {
  if (!hasWindowedKey(input)) return input.key ?? canonicalKey
  return windowedKey(windowsOf(input)?.inputs[0]!.key ?? canonicalKey)
}

interface Gathered {
  value: unknown
  timestamp: number
  /** The last record in it, and that one's number and place. */
  record: StreamRecord
  number: number
  slot: Slot
}

class ReducePerCommit extends Processor {
  readonly #f = this.node.logical.functions["f"] as (reduced: unknown, value: unknown) => unknown
  readonly #key = this.node.logical.functions["key"]!() as Serde<unknown>
  /** What may still grow, by key, and by the bytes of keys that are objects. */
  readonly #open = new Map<unknown, Gathered>()
  readonly #openByBytes = new Map<unknown, Gathered>()
  /** What may not. */
  #closed: Gathered[] = []
  #slots: Slot[] = []
  #number = 0

  constructor(node: PhysicalNode, context: TaskContext) {
    super(node, context)
    context.atCommit(node.level, () => this.#release())
    context.atAbort(() => this.#forget())
  }

  receive(record: StreamRecord): void {
    const { key } = record
    if (isAbsent(key)) return void this.#closed.push(this.#gather(record))
    if (typeof key !== "object") return this.#receive(record, key, this.#open)
    let bytes: string
    try {
      bytes = byteString(this.#key.encode(key))
    } catch (cause) {
      throw this.failed(record, cause)
    }
    this.#receive(record, bytes, this.#openByBytes)
  }

  #receive(record: StreamRecord, id: unknown, open: Map<unknown, Gathered>): void {
    const known = open.get(id)
    if (isAbsent(record.value)) {
      if (known !== undefined) this.#closed.push(known)
      open.delete(id)
      return void this.#closed.push(this.#gather(record))
    }
    if (known === undefined) return void open.set(id, this.#gather(record))
    try {
      known.value = this.#f(known.value, record.value)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    if (record.timestamp > known.timestamp) known.timestamp = record.timestamp
    known.record = record
    known.number = this.#number++
    known.slot = this.#slot()
  }

  #gather(record: StreamRecord): Gathered {
    const { value, timestamp } = record
    if (this.#open.size + this.#openByBytes.size + this.#closed.length >= RESULTS_MAX) this.context.requestCommit()
    return { value, timestamp, record, number: this.#number++, slot: this.#slot() }
  }

  /** One for all records that nothing came between on the way to the next level. */
  #slot(): Slot {
    const last = this.#slots.at(-1)
    if (last?.isLast === true) return last
    const slot = this.context.suspend(this)
    this.#slots.push(slot)
    return slot
  }

  #release(): void {
    if (this.#slots.length === 0) return
    const slots = this.#slots
    const all = [...this.#closed, ...this.#open.values(), ...this.#openByBytes.values()]
    all.sort((left, right) => left.number - right.number)
    this.#forget()
    this.context.resume(() => {
      for (const { slot, record, value, timestamp } of all) slot.results.push(resultOf(record, value, timestamp))
      for (const slot of slots) slot.release()
    })
  }

  #forget(): void {
    this.#open.clear()
    this.#openByBytes.clear()
    this.#closed = []
    this.#slots = []
    this.#number = 0
  }
}

const resultOf = (record: StreamRecord, value: unknown, timestamp: number): StreamRecord =>
  value === record.value && timestamp === record.timestamp ? record : record.derive(record.key, value, timestamp)
