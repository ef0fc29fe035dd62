/**
 * Snapshots of the state of a worker's tasks, so that a task opened where none of its state is copies the latest and reads
 * only what the changelog has after it.
 *
 * A snapshot is of the engine: a consistent point of the past with its checkpoint, read slice by slice beside the worker's
 * loop; no commit waits for it. It is worth as much as the engine itself, and is judged like it (restore.ts). It is whole,
 * not a difference: `every` is how often a store that has changed is written.
 *
 * Nothing depends on one: what cannot be written or read is told in one line, and the changelog has everything.
 */
import { type Clock, type Host, sleep, type Timer } from "@millrace/host"
import { type Duration, durationMs } from "../dsl/duration.ts"
import { PipelineError } from "../errors.ts"
import { DirectorySnapshots } from "../snapshots/directory.ts"
import { type S3Location, S3Snapshots } from "../snapshots/s3.ts"
import { findSnapshots, readSnapshot, writeSnapshot } from "../snapshots/snapshot.ts"
import type { SnapshotStore } from "../snapshots/snapshot-store.ts"
import { type Checkpoint, engineName, type StateEngine } from "../state/engine.ts"
import type { Store } from "../state/store.ts"
import type { Task } from "../task/task.ts"
import { isLogged } from "../topology/node.ts"

/** Where snapshots go, and how often. One application of one cluster has a place for itself there. */
export interface SnapshotsOptions {
  /** A directory, a bucket of S3 or the like, or a store of one's own. */
  readonly to: string | S3Location | SnapshotStore
  readonly every: Duration
}

/** What a restore asks for instead of the changelog's beginning. */
export interface SnapshotSource {
  /**
   * Fills the engine with the latest snapshot that is usable, and is fewer rows than the records it saves. Whatever comes in
   * its way leaves the engine as it was, or empty.
   */
  fill(wanted: WantedSnapshot): Promise<void>
}

export interface WantedSnapshot {
  readonly store: string
  readonly partition: number
  readonly topicId: string
  readonly engine: StateEngine
  /** Where the changelog would be read from. */
  readonly from: number | undefined
  readonly isUsable: (checkpoint: Checkpoint) => boolean
  readonly signal?: AbortSignal
}

export interface SnapshotsContext {
  readonly applicationId: string
  readonly host: Host
  readonly log: (message: string) => void
}

export class Snapshots implements SnapshotSource {
  readonly #target: SnapshotStore
  readonly #everyMs: number
  readonly #context: SnapshotsContext
  readonly #clock: Clock
  /** Offsets of snapshots that were written or read here, by engine. */
  readonly #known = new Map<string, number>()
  readonly #aborter = new AbortController()
  #timer: Timer | undefined
  #running: Promise<void> = Promise.resolve()

  constructor({ to, every }: SnapshotsOptions, context: SnapshotsContext) {
    this.#target = storeOf(to, context.host)
    this.#everyMs = durationMs("snapshots every", every)
    if (this.#everyMs === 0) throw new PipelineError("snapshots every: 0 is no interval")
    this.#context = context
    this.#clock = context.host.clock
  }

  /** Writes what has changed, every interval from now on. */
  start(tasks: () => Iterable<Task>): void {
    const run = () => {
      this.#running = this.write(tasks()).finally(arm)
    }
    const arm = () => {
      if (!this.#aborter.signal.aborted) this.#timer = this.#clock.setTimer(this.#everyMs, run, { background: true })
    }
    arm()
  }

  /** Every store whose engine has moved since its last snapshot, one after another. */
  async write(tasks: Iterable<Task>): Promise<void> {
    for (const task of [...tasks]) {
      for (const store of task.stores.values()) {
        if (this.#aborter.signal.aborted) return
        if (isLogged(store.spec)) await this.#writeOne(store, task.taskId.partition)
      }
    }
  }

  async #writeOne({ spec, committed }: Store, partition: number): Promise<void> {
    const name = engineName(spec.name, partition)
    const image = committed.engine.image?.()
    if (image === undefined) return
    const { signal } = this.#aborter
    try {
      if (image.checkpoint.offset === this.#known.get(name)) return
      await writeSnapshot(image, {
        target: this.#target,
        place: this.#place(name),
        nonce: Buffer.from(this.#context.host.random.bytes(6)).toString("base64url"),
        pause: () => sleep(this.#clock, 0, signal),
      })
      this.#known.set(name, image.checkpoint.offset)
    } catch (cause) {
      if (!signal.aborted) this.#context.log(`the snapshot of store ${name} could not be written: ${message(cause)}`)
    } finally {
      image.release()
    }
  }

  async fill({ store, partition, topicId, engine, from, isUsable, signal }: WantedSnapshot): Promise<void> {
    const name = engineName(store, partition)
    const { log } = this.#context
    const ignored = (snapshot: string, reason: string) => log(`snapshot ${snapshot} is not used: ${reason}`)
    try {
      for await (const found of findSnapshots(this.#target, this.#place(name), topicId, ignored)) {
        const { checkpoint, rows } = found
        if (!isUsable(checkpoint)) {
          ignored(found.name, "the changelog does not have everything after it any more")
          continue
        }
        if (from !== undefined && checkpoint.offset - from <= rows) return
        await engine.clear()
        try {
          await readSnapshot(this.#target, found, engine, signal)
          this.#known.set(name, checkpoint.offset)
          log(`store ${name} begins with a snapshot of ${rows} rows, at offset ${checkpoint.offset} of its changelog`)
          return
        } catch (cause) {
          await engine.clear()
          signal?.throwIfAborted()
          ignored(found.name, message(cause))
        }
      }
    } catch (cause) {
      signal?.throwIfAborted()
      log(`store ${name} is restored without a snapshot: ${message(cause)}`)
    }
  }

  #place(engine: string): string {
    return `${this.#context.applicationId}/${engine}`
  }

  /** Ends what is being written; what there is of it is nobody's. */
  async close(): Promise<void> {
    this.#aborter.abort(new Error("the run was closed"))
    this.#timer?.cancel()
    await this.#running
  }
}

function storeOf(to: SnapshotsOptions["to"], { disk, clock }: Host): SnapshotStore {
  if (typeof to === "string") return new DirectorySnapshots(disk, to)
  return "bucket" in to ? new S3Snapshots(to, clock) : to
}

const message = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
