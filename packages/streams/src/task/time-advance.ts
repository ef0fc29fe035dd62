/**
 * How event time goes through a task where it is told, and not read off its records: behind a repartition topic, and from
 * ordinary topics that are idle (task/idle-sources.ts).
 *
 * When the least horizon of a repartition topic has moved, by a record or a time mark, every operator that this reaches is
 * told how far time has come for it, before that record is processed: windows close, what was held back goes, and sinks
 * of further repartitions tell it on. So time comes through filters that let no record pass, and through any number of
 * repartitions.
 *
 *     time of an operator   the least over its inputs; of a join of streams the greatest, which is its one time for both
 *     time of an input      of a repartition topic its horizon; of an operator that operator's time, less what it holds back;
 *                           of an ordinary topic that follows the wall clock, that time, where no other that feeds the
 *                           operator is active
 *
 * It holds, but for joins of streams, that no record reaches an operator later whose clock is below the time that it was
 * told: records have a clock not below the horizon of their topic, and what an operator held back is no older than `heldMs`.
 * So time that is told makes no record late that would not have been late without it.
 *
 * Ordinary topics that are active tell nothing and hold no repartitioned time back: their records move the time of operators
 * where they come, as in Kafka Streams. What nothing but idle inputs feed is idle: it is told, last, the greatest time that
 * one of these had come to, so that it makes no difference which became idle first. Operators of a level take their turn at its gate, so that time does not overtake records that wait for effects.
 */
import { invariant } from "@millrace/host"
import { NO_HEADERS, OWN_CLOCK, StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { NO_TIME } from "../state/cell.ts"
import type { Processor, Receiver } from "../operators/operator.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import type { TaskContext } from "./context.ts"
import { guardedAdvance } from "./failures.ts"
import type { IdleSources } from "./idle-sources.ts"
import type { RecordQueue } from "./record-queue.ts"

/** The time of an input that tells none. */
const NOTHING_TOLD = Number.POSITIVE_INFINITY
const HELD = Number.NEGATIVE_INFINITY

interface Step {
  /** Where its time is kept while time goes through. */
  readonly at: number
  readonly inputs: readonly number[]
  readonly advance: Processor["advance"]
  readonly idle: (() => void) | undefined
  readonly heldMs: number
  readonly goesByGreatest: boolean
}

interface Source {
  readonly at: number
  readonly queue: RecordQueue
  readonly isOrdinary: boolean
}

/**
 * Times on their way: that of repartition topics, and that of the wall clock, HELD by an active topic; and of what is idle
 * the time that it had come to.
 */
class Times {
  readonly told: Float64Array
  readonly wall: Float64Array
  readonly idle: Float64Array

  constructor(size: number) {
    this.told = new Float64Array(size).fill(NOTHING_TOLD)
    this.wall = new Float64Array(size).fill(NOTHING_TOLD)
    this.idle = new Float64Array(size).fill(NO_TIME)
  }
}

export interface TimeAdvanceOptions {
  readonly context: TaskContext
  readonly processors: ReadonlyMap<PhysicalNode, Processor>
  readonly queues: readonly RecordQueue[]
  readonly idle: IdleSources | undefined
  /** The entry to a level: what it answers runs `receive` in its turn there. */
  readonly gate: (level: number, receiver: Receiver) => Receiver
}

/** What enters gates in the place of a record. */
const NO_RECORD = undefined as unknown as StreamRecord

export class TimeAdvance {
  readonly #gate: TimeAdvanceOptions["gate"]
  readonly #idle: IdleSources | undefined
  readonly #sources: readonly Source[]
  /** By level, of operators that time means something to, and those between. */
  readonly #steps: ReadonlyArray<readonly Step[]>
  readonly #size: number
  /** Used again and again where all happens in one call: on one level. */
  readonly #ownTimes: Times | undefined

  constructor({ context, processors, queues, idle, gate }: TimeAdvanceOptions) {
    this.#gate = gate
    const { nodes, sources, levels } = context.subtopology
    const places = new Map(nodes.map((node, at) => [node, at] as const))
    const place = (node: PhysicalNode): number => {
      const at = places.get(node)
      invariant(at !== undefined, `${node.name} is of another sub-topology`)
      return at
    }
    this.#size = nodes.length
    this.#idle = idle
    this.#sources = queues.map((queue) => {
      const { repartition, node } = sources.find(({ topic }) => topic === queue.topic)!
      return { at: place(node), queue, isOrdinary: !repartition }
    })
    const relevant = new Set<PhysicalNode>()
    for (const node of nodes.toReversed()) {
      const isTimed = processors.get(node)?.advance !== undefined
      if (isTimed || node.outputs.some((output) => relevant.has(output))) relevant.add(node)
    }
    this.#steps = Array.from({ length: levels + 1 }, (_, level) =>
      nodes
        .filter((node) => node.level === level && relevant.has(node) && processors.has(node))
        .map((node) => {
          const processor = processors.get(node)!
          const advance = guardedAdvance(processor, context)
          const idle = processor.idle && (() => processor.idle!())
          const { heldMs, goesByGreatest } = processor
          return { at: place(node), inputs: node.inputs.map(place), advance, idle, heldMs, goesByGreatest }
        }),
    )
    if (this.#steps.slice(1).every((steps) => steps.length === 0)) this.#ownTimes = new Times(this.#size)
  }

  /** Something here is held back until time comes. */
  get holdsBack(): boolean {
    return this.#steps.some((steps) => steps.some(({ heldMs }) => heldMs > 0))
  }

  /** How far time has come for all that the task reads; NO_TIME where nothing tells it. */
  get time(): number {
    let told = NOTHING_TOLD
    let wall = NOTHING_TOLD
    let idle = NO_TIME
    for (const source of this.#sources) {
      if (source.isOrdinary) wall = Math.min(wall, this.#wallOf(source))
      else {
        told = Math.min(told, source.queue.horizon)
        idle = Math.max(idle, source.queue.idleTime)
      }
    }
    if (told === NOTHING_TOLD && wall === NOTHING_TOLD) return idle
    const time = least(told, wall)
    return time === NOTHING_TOLD ? NO_TIME : time
  }

  #wallOf({ queue }: Source): number {
    if (this.#idle?.isIdle(queue) !== true) return HELD
    const time = this.#idle.timeOf(queue)
    return time === NO_TIME ? NOTHING_TOLD : time
  }

  /** What the sources tell has changed. */
  run(at: StreamRecord): void {
    const times = this.#ownTimes ?? new Times(this.#size)
    for (const source of this.#sources) {
      if (source.isOrdinary) times.wall[source.at] = this.#wallOf(source)
      else {
        times.told[source.at] = source.queue.horizon
        times.idle[source.at] = source.queue.idleTime
      }
    }
    for (const [level, steps] of this.#steps.entries()) {
      if (steps.length === 0) continue
      if (level === 0) tell(steps, times, at)
      else this.#gate(level, { receive: () => tell(steps, times, at) }).receive(NO_RECORD)
    }
  }
}

/** What moves time where no record does: the head of a queue that is none. */
export const timeMark = (queue: RecordQueue): StreamRecord =>
  new StreamRecord(null, TOMBSTONE, queue.headTimestamp, NO_HEADERS, queue.head!.offset, queue, OWN_CLOCK, TOMBSTONE)

/** What moves time where it is the wall clock: of each transaction one. */
export function timeOfDay(now: number, partition: number): StreamRecord {
  const origin = { topic: "", partition }
  return new StreamRecord(null, TOMBSTONE, now, NO_HEADERS, now, origin, OWN_CLOCK, TOMBSTONE)
}

const greatest = (told: number, other: number): number =>
  told === NOTHING_TOLD || other === NOTHING_TOLD ? Math.min(told, other) : Math.max(told, other)

const least = (told: number, wall: number): number => (wall === HELD ? told : Math.min(told, wall))

function tell(steps: readonly Step[], { told, wall, idle }: Times, at: StreamRecord): void {
  for (const step of steps) {
    let [ownTold, ownWall, ownIdle] = [NOTHING_TOLD, NOTHING_TOLD, NO_TIME]
    for (const input of step.inputs) {
      ownTold = step.goesByGreatest ? greatest(ownTold, told[input]!) : Math.min(ownTold, told[input]!)
      ownWall = Math.min(ownWall, wall[input]!)
      ownIdle = Math.max(ownIdle, idle[input]!)
    }
    const isIdle = ownTold === NOTHING_TOLD && ownWall === NOTHING_TOLD
    const time = isIdle ? ownIdle : least(ownTold, ownWall)
    if (time >= 0 && time < NOTHING_TOLD) step.advance?.(time, at)
    if (isIdle) step.idle?.()
    told[step.at] = ownTold - step.heldMs
    wall[step.at] = ownWall - step.heldMs
    idle[step.at] = ownIdle - step.heldMs
  }
}
