/**
 * Ordinary input partitions of a task that have had no record for a while, by the wall clock.
 *
 *     active --- no record for `idleAfter`, and the log was seen to have none ---> idle --- a record ---> active
 *
 * So is a sink that no record has reached for so long, though its partitions may have records: a filter let nothing pass. That
 * is noticed when a transaction commits (operators/repartition.ts).
 *
 * An idle partition holds event time back no more: sinks that nothing but idle partitions feed tell the tasks behind them not
 * to wait (operators/repartition.ts). With `whenIdle: "wall-clock"` it tells a time of its own, the wall clock less
 * `idleAfter`, since what comes now is not expected to be older; this goes through the task as any time that is told does
 * (task/time-advance.ts), in steps of a tenth of `idleAfter`, a second at least.
 *
 * Which partitions are idle, and what time they tell, is decided at the beginning of a transaction, by the transaction's
 * wall-clock time, before its first record; in between nothing but a record changes it. State: two cells for each topic in
 * the metadata of the committed offsets. So a decision commits or aborts with all that it caused, and a restart finds it.
 */
import type { IdlePolicy } from "../dsl/idle.ts"
import { type Cell, NO_TIME } from "../state/cell.ts"
import type { PhysicalNode, SubTopology } from "../topology/topology.ts"
import type { RecordQueue } from "./record-queue.ts"

interface Idleness {
  readonly afterMs: number
  readonly policy: IdlePolicy
}

interface Watched extends Idleness {
  readonly queue: RecordQueue
  /** When it is idle unless a record comes, by the wall clock; IDLE once it is. */
  readonly idleAt: Cell
  /** The time that it tells while it is idle. */
  readonly told: Cell
}

interface Environment {
  readonly cell: (name: string) => Cell
  readonly now: () => number
}

export interface IdleSourcesOptions extends Environment {
  readonly queues: readonly RecordQueue[]
  /** Of topics that do not say it themselves; 0 never. */
  readonly idleAfterMs: number
}

/** The wall-clock time of a transaction, decided when it is first asked for. */
interface TransactionTime {
  readonly now: number
}

/** Ordinary topics that feed a sink. */
export interface FeedingSources {
  readonly afterMs: number
  /** All that they had at that time has been taken. */
  hadNothingAt(time: number): boolean
}

const IDLE = 0
const STEPS = 10
const STEP_MS_MIN = 1_000
const NEVER = Number.POSITIVE_INFINITY

export class IdleSources {
  readonly #watched = new Map<RecordQueue, Watched>()
  readonly #now: () => number

  constructor(watched: ReadonlyMap<RecordQueue, Idleness>, { cell, now }: Environment) {
    this.#now = now
    for (const [queue, idleness] of watched) {
      const idleAt = cell(`${queue.topic}/idle-at`)
      if (idleAt.value === NO_TIME) idleAt.restore(now() + idleness.afterMs)
      this.#watched.set(queue, { ...idleness, queue, idleAt, told: cell(`${queue.topic}/idle-time`) })
    }
  }

  get queues(): Iterable<RecordQueue> {
    return this.#watched.keys()
  }

  isIdle(queue: RecordQueue): boolean {
    return this.#watched.get(queue)?.idleAt.value === IDLE
  }

  /** The time that an idle partition tells; NO_TIME when it tells none. */
  timeOf(queue: RecordQueue): number {
    const one = this.#watched.get(queue)
    return one === undefined || one.idleAt.value !== IDLE || one.policy !== "wall-clock" ? NO_TIME : one.told.value
  }

  /** What feeds a sink; undefined where that is not watched, or records are kept on the way (`sourcesOf`). */
  ofSink(node: PhysicalNode): FeedingSources | undefined {
    const topics = sourcesOf(node)
    const watched = topics?.map((topic) => [...this.#watched.values()].find(({ queue }) => queue.topic === topic))
    if (watched === undefined || !watched.every((one) => one !== undefined)) return undefined
    return {
      afterMs: Math.max(...watched.map(({ afterMs }) => afterMs)),
      hadNothingAt: (time) => watched.every(({ queue }) => queue.hadNothingAt(time)),
    }
  }

  /** Milliseconds until there is something to decide; undefined while nothing is foreseen. */
  get untilDue(): number | undefined {
    const now = this.#now()
    let due = NEVER
    for (const one of this.#watched.values()) due = Math.min(due, dueAt(one, now))
    return due === NEVER ? undefined : Math.max(0, due - now)
  }

  /** Before a transaction's first record; answers whether anything has changed. */
  begin(transaction: TransactionTime): boolean {
    if (this.untilDue !== 0) return false
    const { now } = transaction
    let hasChanged = false
    for (const one of this.#watched.values()) {
      if (dueAt(one, now) > now) continue
      hasChanged = true
      one.idleAt.value = IDLE
      if (one.policy === "wall-clock") one.told.value = Math.max(one.told.value, toldAt(one, now))
    }
    return hasChanged
  }

  /** A record came. */
  taken(queue: RecordQueue, transaction: TransactionTime): void {
    const one = this.#watched.get(queue)
    if (one !== undefined) one.idleAt.value = transaction.now + one.afterMs
  }
}

/** Source topics whose records come to a node in the call in which they are taken, or not at all; else undefined. */
function sourcesOf({ kind, topic, inputs, stores }: PhysicalNode): readonly string[] | undefined {
  if (kind === "source") return [topic!]
  if (kind === "repartition-source" || stores.length > 0) return undefined
  const found = inputs.map(sourcesOf)
  return found.every((one) => one !== undefined) ? found.flat() : undefined
}

/** Undefined where it would make no difference: to windows and their kind here, or to tasks that wait for this one. */
export function watchIdleSources(
  { nodes, sources }: SubTopology,
  { queues, idleAfterMs, ...environment }: IdleSourcesOptions,
): IdleSources | undefined {
  const watched = new Map<RecordQueue, Idleness>()
  for (const queue of queues) {
    const { repartition, node } = sources.find(({ topic }) => topic === queue.topic)!
    const { functions } = node.logical
    const afterMs = (functions["idleAfterMs"]?.() ?? idleAfterMs) as number
    const policy = (functions["whenIdle"]?.() ?? "step-aside") as IdlePolicy
    if (!repartition && afterMs > 0) watched.set(queue, { afterMs, policy })
  }
  const isWaitedFor = nodes.some(({ kind }) => kind === "repartition-sink")
  const matters = isWaitedFor || [...watched.values()].some(({ policy }) => policy === "wall-clock")
  return watched.size > 0 && matters ? new IdleSources(watched, environment) : undefined
}

const stepOf = ({ afterMs }: Watched): number => Math.max(STEP_MS_MIN, Math.ceil(afterMs / STEPS))

/** Whole steps, so that partitions tell one time. */
const toldAt = (one: Watched, now: number): number => Math.floor((now - one.afterMs) / stepOf(one)) * stepOf(one)

/** When there is something to decide; what is due already waits for a fetch that finds nothing. */
function dueAt(one: Watched, now: number): number {
  const { queue, policy, idleAt, afterMs, told } = one
  if (idleAt.value === IDLE && policy !== "wall-clock") return NEVER
  const due = idleAt.value === IDLE ? told.value + stepOf(one) + afterMs : idleAt.value
  return due <= now && !queue.hadNothingAt(due) ? NEVER : due
}
