/**
 * The entry to one level of a task: see topology/levels.ts.
 *
 * What enters passes straight through while nothing is pending before it. A suspending processor reserves a slot in the
 * order of its input; slots and records then leave in that order, a slot when its results are there. So everything on a
 * level happens in the order of the task's input, whatever finishes first.
 *
 *     in ->  [slot a: pending] [record] [slot b: ready] [record]  -> out: waits for a
 */
import type { StreamRecord } from "../dsl/record.ts"
import type { Receiver } from "../operators/operator.ts"

export class Slot {
  readonly receiver: Receiver
  /** Results in the order in which they leave. */
  readonly results: StreamRecord[] = []
  /** What happens in its turn beside them. */
  onLeave: (() => void) | undefined
  isReady = false
  /** Of whom it waits for. */
  readonly operator: string
  readonly #gate: Gate

  constructor(gate: Gate, receiver: Receiver, operator: string) {
    this.#gate = gate
    this.receiver = receiver
    this.operator = operator
  }

  /** Nothing waits behind it. */
  get isLast(): boolean {
    return this.#gate.last === this
  }

  /** Nothing more will come. Results that became possible leave at once. */
  release(): void {
    this.isReady = true
    this.#gate.drain()
  }
}

interface Waiting {
  readonly receiver: Receiver
  readonly record: StreamRecord
}

export class Gate {
  #queue: Array<Slot | Waiting> = []
  #head = 0
  #isDraining = false
  #whenEmpty: Array<() => void> = []

  get isEmpty(): boolean {
    return this.#head === this.#queue.length
  }

  /** Slots and records that wait. */
  get size(): number {
    return this.#queue.length - this.#head
  }

  get last(): Slot | Waiting | undefined {
    return this.#queue.at(-1)
  }

  enter(receiver: Receiver, record: StreamRecord): void {
    if (this.isEmpty && !this.#isDraining) receiver.receive(record)
    else this.#queue.push({ receiver, record })
  }

  /** The operator that all here wait for; undefined while nothing does. */
  get waitsFor(): string | undefined {
    const first = this.#queue[this.#head]
    return first instanceof Slot ? first.operator : undefined
  }

  reserve(receiver: Receiver, operator: string): Slot {
    const slot = new Slot(this, receiver, operator)
    this.#queue.push(slot)
    return slot
  }

  /** Calls back once nothing waits; at once when nothing does. */
  onceEmpty(done: () => void): void {
    if (this.isEmpty) done()
    else this.#whenEmpty.push(done)
  }

  drain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    try {
      while (this.#head < this.#queue.length) {
        const first = this.#queue[this.#head]!
        if (first instanceof Slot) {
          if (!first.isReady) return
          for (const record of first.results) first.receiver.receive(record)
          first.onLeave?.()
        } else first.receiver.receive(first.record)
        this.#head++
      }
      this.#queue = []
      this.#head = 0
    } finally {
      this.#isDraining = false
    }
    const waiting = this.#whenEmpty
    this.#whenEmpty = []
    for (const done of waiting) done()
  }

  /** Forgets all that waits: slots released later do nothing that can be seen. */
  clear(): void {
    this.#queue = []
    this.#head = 0
    this.#whenEmpty = []
  }
}

/** Slots and records that wait at all of them. */
export function waitingAt(gates: readonly Gate[]): number {
  let waiting = 0
  for (const gate of gates) waiting += gate.size
  return waiting
}

/** What an edge into a higher level leads to. */
export function gated(gates: readonly Gate[], receiver: Receiver): Receiver {
  let target = receiver
  for (const gate of gates.toReversed()) {
    const inner = target
    target = { receive: (record) => gate.enter(inner, record) }
  }
  return target
}
