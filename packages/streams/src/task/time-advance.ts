/**
 * How event time goes through a task whose time is told, and not read off its records: behind a repartition topic.
 *
 * When the least horizon of a repartition topic has moved, by a record or a time mark, every operator that this reaches is
 * told how far time has come for it, before that record is processed: windows close, what was held back goes, and sinks
 * of further repartitions tell it on. So time comes through filters that let no record pass, and through any number of
 * repartitions.
 *
 *     time of an operator   the least over its inputs
 *     time of an input      of a repartition topic its horizon; of an operator that operator's time, less what it holds back
 *
 * It holds that no record reaches an operator later whose clock is below the time that it was told: records have a clock not
 * below the horizon of their topic, and what an operator held back is no older than `heldMs`. So time that is told makes no
 * record late that would not have been late without it.
 *
 * Ordinary topics tell nothing and hold nothing back: their records move the time of operators where they come, as in Kafka
 * Streams. Operators of a level take their turn at its gate, so that time does not overtake records that wait for effects.
 */
import { invariant } from "@millrace/host"
import { NO_HEADERS, OWN_CLOCK, StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import type { Processor, Receiver } from "../operators/operator.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import type { TaskContext } from "./context.ts"
import { guardedAdvance } from "./failures.ts"
import type { RecordQueue } from "./record-queue.ts"

/** The time of an input that tells none. */
const NOTHING_TOLD = Number.POSITIVE_INFINITY

interface Step {
  /** Where its time is kept while time goes through. */
  readonly at: number
  readonly inputs: readonly number[]
  readonly advance: Processor["advance"]
  readonly heldMs: number
}

interface Source {
  readonly at: number
  readonly queue: RecordQueue
}

export interface TimeAdvanceOptions {
  readonly context: TaskContext
  readonly processors: ReadonlyMap<PhysicalNode, Processor>
  readonly queues: readonly RecordQueue[]
  /** The entry to a level: what it answers runs `receive` in its turn there. */
  readonly gate: (level: number, receiver: Receiver) => Receiver
}

/** What enters gates in the place of a record. */
const NO_RECORD = undefined as unknown as StreamRecord

export class TimeAdvance {
  readonly #gate: TimeAdvanceOptions["gate"]
  readonly #sources: readonly Source[]
  /** By level, of operators that time means something to, and those between. */
  readonly #steps: ReadonlyArray<readonly Step[]>
  readonly #size: number

  constructor({ context, processors, queues, gate }: TimeAdvanceOptions) {
    this.#gate = gate
    const { nodes, sources, levels } = context.subtopology
    const places = new Map(nodes.map((node, at) => [node, at] as const))
    const place = (node: PhysicalNode): number => {
      const at = places.get(node)
      invariant(at !== undefined, `${node.name} is of another sub-topology`)
      return at
    }
    this.#size = nodes.length
    this.#sources = queues.flatMap((queue) => {
      const { repartition, node } = sources.find(({ topic }) => topic === queue.topic)!
      return repartition ? [{ at: place(node), queue }] : []
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
          return { at: place(node), inputs: node.inputs.map(place), advance, heldMs: processor.heldMs }
        }),
    )
  }

  /** The least of all topics that tell their time. */
  get horizon(): number {
    let least = NOTHING_TOLD
    for (const { queue } of this.#sources) least = Math.min(least, queue.horizon)
    return least
  }

  /** A horizon moved. */
  run(at: StreamRecord): void {
    const times = new Float64Array(this.#size).fill(NOTHING_TOLD)
    for (const { at: place, queue } of this.#sources) times[place] = queue.horizon
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

function tell(steps: readonly Step[], times: Float64Array, at: StreamRecord): void {
  for (const step of steps) {
    let time = NOTHING_TOLD
    for (const input of step.inputs) time = Math.min(time, times[input]!)
    if (time >= 0 && time < NOTHING_TOLD) step.advance?.(time, at)
    times[step.at] = time - step.heldMs
  }
}
