/**
 * Which worker of a process has which task's state open: as the active task, or as a copy of it.
 *
 * The workers of a process share its state directory. The group moves a task from one to another without waiting for what
 * the first still writes, so whoever opens a task waits until the other has closed it: then its engine is whole, and
 * nothing needs restoring. One slot per task in memory that the threads share holds the owner; a worker that died is
 * released by the process. Within a worker claims are counted, since a copy hands its state over to the task.
 */
import { type Clock, invariant, sleep } from "@millrace/host"

const FREE = 0
/** Claims change hands between threads of one process, in milliseconds. */
const WAIT_MS = 5

export class TaskClaims {
  readonly #slots: ReadonlyMap<string, number>
  readonly #owners: Int32Array
  readonly #owner: number
  readonly #held = new Map<string, number>()

  /** `worker` -1 is the process itself. Without shared memory there is one worker. */
  constructor(tasks: readonly string[], worker: number, memory?: SharedArrayBuffer) {
    this.#slots = new Map(tasks.map((task, slot) => [task, slot]))
    this.#owners = memory === undefined ? new Int32Array(tasks.length) : new Int32Array(memory)
    this.#owner = ownerOf(worker)
    invariant(this.#owners.length === tasks.length, "workers of a process have the same tasks")
  }

  /** For so many tasks, all of them free. */
  static memory(tasks: number): SharedArrayBuffer {
    return new SharedArrayBuffer(tasks * Int32Array.BYTES_PER_ELEMENT)
  }

  knows(task: string): boolean {
    return this.#slots.has(task)
  }

  /** Unless another worker has it. */
  tryAcquire(task: string): boolean {
    const held = this.#held.get(task) ?? 0
    if (held === 0 && Atomics.compareExchange(this.#owners, this.#slot(task), FREE, this.#owner) !== FREE) return false
    this.#held.set(task, held + 1)
    return true
  }

  /** Unless anybody has it, this worker too. */
  tryAcquireAlone(task: string): boolean {
    return !this.#held.has(task) && this.tryAcquire(task)
  }

  async acquire(task: string, clock: Clock, signal: AbortSignal): Promise<void> {
    while (!this.tryAcquire(task)) await sleep(clock, WAIT_MS, signal)
  }

  release(task: string): void {
    const held = this.#held.get(task)
    if (held === undefined) return
    if (held > 1) {
      this.#held.set(task, held - 1)
      return
    }
    this.#held.delete(task)
    Atomics.compareExchange(this.#owners, this.#slot(task), this.#owner, FREE)
  }

  /** The worker is gone. */
  releaseAllOf(worker: number): void {
    for (const slot of this.#slots.values()) Atomics.compareExchange(this.#owners, slot, ownerOf(worker), FREE)
  }

  #slot(task: string): number {
    const slot = this.#slots.get(task)
    invariant(slot !== undefined, `task ${task} is one of the topology's`)
    return slot
  }
}

const ownerOf = (worker: number): number => worker + 2
