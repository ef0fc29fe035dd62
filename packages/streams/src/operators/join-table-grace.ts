/**
 * joinTable and leftJoinTable with grace (KIP-923): records wait for rows of a versioned table that come late.
 *
 * A record waits until stream time is `grace` beyond its timestamp, and is then joined with the row that held at that
 * timestamp: in the order of their times, those of one time by their keys' bytes and then as they came. One that comes later
 * than that is joined at once. Only stream records move the time; it is the operator's own.
 * State: the waiting records, with all that callbacks see of them, in a window store; timers by key say when they go. A
 * record that cannot be joined fails by itself, and not the one that moved time on.
 * Results come in order of time, so the operators that follow judge what is late by what they see, also behind a
 * repartition.
 * Null keys and values: as without grace, at once.
 */
import { isAbsent, OWN_CLOCK, StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { PipelineError } from "../errors.ts"
import { packed } from "../serde/packed.ts"
import { type WaitingRecord, waitingRecords } from "../serde/waiting-records.ts"
import type { TimerStore } from "../state/timer-store.ts"
import type { WindowStore } from "../state/window-store.ts"
import { Failures } from "../task/failures.ts"
import { StreamTime } from "../task/stream-time.ts"
import type { LogicalNode, StoreSpec } from "../topology/node.ts"
import { JoinTable } from "./join-table-row.ts"
import { historyMsOf } from "./versioned-table.ts"

/** Where records wait. `what` names the operator in errors. */
export function graceStores(
  what: string,
  name: string,
  input: LogicalNode,
  table: LogicalNode,
  graceMs: number,
): readonly StoreSpec[] {
  const historyMs = historyMsOf(table)
  if (historyMs === undefined) {
    const fix = `{ versioned: { history: … } }, and derived tables without a store`
    throw new PipelineError(`${what}: a grace needs a versioned table: give the table ${fix}`)
  }
  if (historyMs < graceMs) {
    throw new PipelineError(
      `${what}: a grace of ${graceMs} ms needs a history as long; the table's is ${historyMs} ms: make it longer`,
    )
  }
  const { key } = table
  return [
    { name: `${name}-waiting`, kind: "window", key, value: waitingRecords(input.value ?? packed) },
    { name: `${name}-waits`, kind: "timer", key, value: undefined },
  ]
}

export class JoinTableGrace extends JoinTable {
  readonly #graceMs = this.node.logical.options["graceMs"] as number
  readonly #waiting = this.context.store(this.node.stores[0]!.name) as WindowStore<unknown, readonly WaitingRecord[]>
  readonly #waits = this.context.store(this.node.stores[1]!.name) as TimerStore
  readonly #time = new StreamTime(this.#waits.cell("stream-time"))
  override readonly heldMs = this.#graceMs
  readonly #failures = this.node.onFailure && new Failures(this.node, this.context, this.node.onFailure)

  override receive(record: StreamRecord): void {
    const clock = this.#time.observe(record)
    const isWaiting = !isAbsent(record.key) && !isAbsent(record.value) && record.timestamp >= clock - this.#graceMs
    if (isWaiting) this.#keep(record)
    else this.#send(record)
    this.#releaseDue()
  }

  override advance(time: number): void {
    this.#time.advance(time)
    this.#releaseDue()
  }

  #releaseDue(): void {
    this.#waits.fire(this.#time.horizon - this.#graceMs, (key, timestamp) => this.#release(key, timestamp))
  }

  #keep({ key, value, timestamp, headers, topic, partition, offset }: StreamRecord): void {
    const { value: before = [] } = this.#waiting.get(key, timestamp)
    this.#waiting.put(key, timestamp, [...before, { value, headers, topic, partition, offset }], timestamp)
    if (before.length === 0) this.#waits.set(key, timestamp)
  }

  #release(key: unknown, timestamp: number): void {
    const { value: waiting = [] } = this.#waiting.get(key, timestamp)
    this.#waiting.put(key, timestamp, undefined, timestamp)
    for (const { value, headers, topic, partition, offset } of waiting) {
      const origin = { topic, partition }
      this.#send(new StreamRecord(key, value, timestamp, headers, offset, origin, OWN_CLOCK, TOMBSTONE))
    }
  }

  #send(record: StreamRecord): void {
    let result: StreamRecord | undefined
    try {
      result = this.joined(record)
    } catch (cause) {
      if (this.#failures === undefined) throw cause
      return this.#failures.handle(cause, record)
    }
    if (result === undefined) return
    const { key, value, timestamp, headers, offset, origin } = result
    this.next.receive(new StreamRecord(key, value, timestamp, headers, offset, origin, OWN_CLOCK, TOMBSTONE))
  }
}
