/**
 * Tells, once, what windows that do not close wait for: partitions without a record, whose tasks tell no time.
 *
 * It is no failure: the first record there may be an old one. But who expects results and sees none, and no reason,
 * looks for it in the wrong place. Through a chain of repartitions the wait is followed back to where it begins, as far as
 * the tasks between are in this process.
 */
import type { Clock } from "@millrace/host"
import type { AwaitedTime } from "../task/awaited-time.ts"
import type { Topology } from "../topology/topology.ts"

interface Waiting {
  /** SUBTOPOLOGY_PARTITION. */
  readonly name: string
  readonly awaited: readonly AwaitedTime[]
  readonly holdsBack: boolean
}

type Tasks = ReadonlyMap<string, Waiting>

interface TaskPlace {
  readonly subtopology: number
  readonly partition: number
}

/** Then it is told. */
const PATIENCE_MS = 30_000
const LOOK_INTERVAL_MS = 1_000

export class AwaitedTimes {
  readonly #topology: Pick<Topology, "repartitions" | "subtopologies">
  readonly #clock: Clock
  readonly #log: (message: string) => void
  /** By topic; undefined once it was told. */
  readonly #since = new Map<string, number | undefined>()
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(
    topology: Pick<Topology, "repartitions" | "subtopologies">,
    clock: Clock,
    log: (message: string) => void,
  ) {
    this.#topology = topology
    this.#clock = clock
    this.#log = log
  }

  /** Often: looks once a second. */
  look(tasks: Iterable<Waiting>): void {
    const now = this.#clock.monotonic()
    if (now - this.#lookedAt < LOOK_INTERVAL_MS) return
    this.#lookedAt = now
    const byName = new Map([...tasks].map((task) => [task.name, task] as const))
    for (const { holdsBack, awaited } of byName.values()) {
      if (!holdsBack) continue
      for (const one of awaited) {
        if (!this.#since.has(one.topic)) this.#since.set(one.topic, now)
        const since = this.#since.get(one.topic)
        if (since === undefined || now - since < PATIENCE_MS) continue
        this.#since.set(one.topic, undefined)
        this.#log(this.#message(one, byName))
      }
    }
  }

  #message(awaited: AwaitedTime, tasks: Tasks): string {
    const partitions = Map.groupBy(this.#origins(awaited, tasks), ({ subtopology }) => subtopology)
    const places = [...partitions].map(([subtopology, found]) => {
      const numbers = [...new Set(found.map(({ partition }) => partition))].toSorted((a, b) => a - b)
      const { sources } = this.#topology.subtopologies[subtopology]!
      if (sources.some(({ repartition }) => repartition))
        return `tasks ${numbers.map((partition) => `${subtopology}_${partition}`).join(", ")}`
      return `partitions ${numbers.join(", ")} of ${sources.map(({ topic }) => topic).join(" and ")}`
    })
    const reason = `what waits for event time behind ${awaited.topic} waits for ${places.join(", and for ")}`
    return `${reason}, from where no record has come to it: if there may be none, give the source an idleAfter (idle.after.ms)`
  }

  /** Tasks with which the wait begins. */
  #origins({ topic, upstreamPartitions }: AwaitedTime, tasks: Tasks): TaskPlace[] {
    const subtopology = this.#topology.repartitions.find((one) => one.topic === topic)!.upstream
    return upstreamPartitions.flatMap((partition) => {
      const before = tasks.get(`${subtopology}_${partition}`)?.awaited ?? []
      return before.length === 0 ? [{ subtopology, partition }] : before.flatMap((one) => this.#origins(one, tasks))
    })
  }
}
