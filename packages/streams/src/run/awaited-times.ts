/**
 * Tells, once, what windows that do not close wait for: an upstream task that has had no record, and tells no time.
 *
 * It is no failure: the first record of that task may be an old one. But who expects results and sees none, and no reason,
 * looks for it in the wrong place.
 */
import type { Clock } from "@millrace/host"
import type { AwaitedTime } from "../task/awaited-time.ts"
import type { Topology } from "../topology/topology.ts"

interface Waiting {
  readonly awaited: readonly AwaitedTime[]
}

/** Then it is told. */
const PATIENCE_MS = 30_000
const LOOK_INTERVAL_MS = 1_000

export class AwaitedTimes {
  readonly #topology: Pick<Topology, "repartitions">
  readonly #clock: Clock
  readonly #log: (message: string) => void
  /** By topic; undefined once it was told. */
  readonly #since = new Map<string, number | undefined>()
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(topology: Pick<Topology, "repartitions">, clock: Clock, log: (message: string) => void) {
    this.#topology = topology
    this.#clock = clock
    this.#log = log
  }

  /** Often: looks once a second. */
  look(tasks: Iterable<Waiting>): void {
    const now = this.#clock.monotonic()
    if (now - this.#lookedAt < LOOK_INTERVAL_MS) return
    this.#lookedAt = now
    for (const { awaited } of tasks) {
      for (const one of awaited) {
        if (!this.#since.has(one.topic)) this.#since.set(one.topic, now)
        const since = this.#since.get(one.topic)
        if (since === undefined || now - since < PATIENCE_MS) continue
        this.#since.set(one.topic, undefined)
        this.#log(this.#message(one))
      }
    }
  }

  #message({ topic, upstreamPartitions }: AwaitedTime): string {
    const upstream = this.#topology.repartitions.find((one) => one.topic === topic)!.upstream
    const tasks = upstreamPartitions.map((partition) => `${upstream}_${partition}`).join(", ")
    const reason = `what waits for event time behind ${topic} waits for ${tasks}, which had no record for it yet`
    return `${reason}: where that is as it should be, give the source an idleAfter`
  }
}
