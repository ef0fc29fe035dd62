/**
 * Deletes from repartition topics what every commit has left behind. They keep everything otherwise, since a consumer
 * that is away for long must still find it.
 */
import type { Admin } from "@millrace/client"
import type { Clock } from "@millrace/host"
import type { Topology } from "../topology/topology.ts"
import type { TaskSet } from "./task-set.ts"

export class RepartitionPurge {
  readonly #topics: ReadonlySet<string>
  readonly #admin: Admin
  readonly #tasks: TaskSet
  readonly #clock: Clock
  readonly #intervalMs: number
  #purgedAt: number

  constructor(topology: Topology, admin: Admin, tasks: TaskSet, clock: Clock, intervalMs: number) {
    this.#topics = new Set(topology.repartitions.map(({ topic }) => topic))
    this.#admin = admin
    this.#tasks = tasks
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#purgedAt = clock.monotonic()
  }

  /** Call right after a commit, when positions and committed offsets are the same. */
  async run(): Promise<void> {
    const now = this.#clock.monotonic()
    if (this.#intervalMs === 0 || this.#topics.size === 0 || now - this.#purgedAt < this.#intervalMs) return
    this.#purgedAt = now
    const done = []
    for (const task of this.#tasks.tasks) {
      for (const { topic, partition, position } of task.group.queues) {
        if (this.#topics.has(topic) && position > 0) done.push({ topic, partition, offset: position })
      }
    }
    // Not worth failing for: the next purge deletes the same and more.
    if (done.length > 0) void this.#admin.deleteRecords(done).catch(() => {})
  }
}
