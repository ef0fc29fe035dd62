/**
 * Copies of tasks' state: stores that read their changelogs on and on, and process nothing (KIP-441).
 *
 * A copy that becomes active hands its stores over as they are, and the task reads what is left. One that is given up is
 * written out with its position, so that whoever opens it next, as a copy or as the task, goes on from there.
 *
 * From the engine's checkpoint on it goes through the states that the task had, record by record: between two records of a
 * transaction it has a part of it. With "exactly-once" it reads what was committed, with "at-least-once" what was written,
 * which the task may have taken back and written anew.
 */
import type { ReadableEnd } from "@millrace/client"
import { type Clock, sleep } from "@millrace/host"
import type { Checkpoint } from "../state/engine.ts"
import type { Store } from "../state/store.ts"
import { formatTaskId, parseTaskId } from "../topology/naming.ts"
import type { PhysicalStore } from "../topology/topology.ts"
import { type ChangelogReader, type Follower } from "./changelog-reader.ts"
import type { TaskClaims } from "./claims.ts"
import { beginRestore, flushIfDue } from "./restore.ts"
import { isLogged, isOnDisk } from "../topology/node.ts"
import { openStores, type TaskFactoryOptions } from "./task-factory.ts"
import type { TopicPartition } from "./ports.ts"
import { isTransient } from "./transient.ts"

export interface StandbysOptions {
  readonly factory: TaskFactoryOptions
  readonly changelogs: ChangelogReader
  readonly claims: TaskClaims
  readonly clock: Clock
  readonly log: (message: string) => void
  /** A copy that cannot be kept, for a reason that does not pass. */
  readonly onFailure: (cause: unknown) => void
}

/** The stores of a task, and how far each has read its changelog. */
export interface Replica {
  readonly stores: ReadonlyMap<string, Store>
  /** By name of the store. */
  readonly positions: ReadonlyMap<string, number>
}

interface ReplicatedStore {
  readonly store: Store
  readonly follower: Follower
  readonly topicId: string
  /** Of the changelog, as it was before the first fetch. */
  readonly endBefore: ReadableEnd
}

/** A store that follows its changelog, for whoever reads it stale. */
export interface CopiedStore {
  readonly store: Store
  /** Offsets that it has not read of its changelog, as of `seenAt`: transactions' markers and gaps are some too. */
  readonly lag: number
  /** When the changelog last told its end, by the wall clock. */
  readonly seenAt: number
}

export interface FollowedChangelog {
  readonly store: string
  readonly changelog: TopicPartition
  readonly position: number
}

const RETRY_MS = 1_000

export class Standbys {
  readonly #options: StandbysOptions
  readonly #copies = new Map<string, Copy>()
  /** Copies that are being written out; whoever opens the task waits. */
  readonly #closing = new Map<string, Promise<void>>()

  constructor(options: StandbysOptions) {
    this.#options = options
  }

  get names(): string[] {
    return [...this.#copies.keys()].sort()
  }

  /** By task: the sum of the offsets that its stores have reached; those that are being opened are left out. */
  positions(): Map<string, number> {
    const positions = new Map<string, number>()
    for (const [name, { stores }] of this.#copies) {
      if (stores === undefined) continue
      let sum = 0
      for (const { follower } of stores) sum += follower.position
      positions.set(name, sum)
    }
    return positions
  }

  /** A store of a copy as it is, if it is open. */
  store(task: string, name: string): CopiedStore | undefined {
    const found = this.#copies.get(task)?.stores?.find(({ store }) => store.spec.name === name)
    if (found === undefined) return undefined
    const { store, follower, endBefore } = found
    const { offset, askedAt } = follower.readableEnd ?? endBefore
    return { store, lag: Math.max(0, offset - follower.position), seenAt: askedAt }
  }

  /** How far each store of the copies that are open has read its changelog. */
  get followed(): readonly FollowedChangelog[] {
    return [...this.#copies.values()].flatMap(({ stores = [] }) =>
      stores.map(({ store, follower: { partition: changelog, position } }) => ({
        store: store.spec.name,
        changelog,
        position,
      })),
    )
  }

  /** Keeps exactly these. */
  assign(names: readonly string[]): void {
    const wanted = new Set(names)
    for (const name of this.#copies.keys()) if (!wanted.has(name)) this.#close(name)
    for (const name of wanted) if (!this.#copies.has(name)) this.#copies.set(name, this.#start(name))
  }

  /** The task becomes active: its stores, if they are open. Waits for what is being written of it. */
  async take(name: string): Promise<Replica | undefined> {
    const copy = this.#copies.get(name)
    if (copy?.stores === undefined) {
      if (copy !== undefined) this.#close(name)
      await this.#closing.get(name)
      return undefined
    }
    this.#copies.delete(name)
    this.#release(name, copy)
    copy.aborter.abort(new Error("the copy became active"))
    for (const { follower } of copy.stores) follower.stop()
    return {
      stores: new Map(copy.stores.map(({ store }) => [store.spec.name, store])),
      positions: new Map(copy.stores.map(({ store, follower }) => [store.spec.name, follower.position])),
    }
  }

  /** Writes everything out. */
  async close(): Promise<void> {
    this.assign([])
    await Promise.all(this.#closing.values())
  }

  #start(name: string): Copy {
    const copy = new Copy()
    copy.running = this.#keep(name, copy)
    return copy
  }

  /** Opens the copy, and again when reading failed for a reason that passes. */
  async #keep(name: string, copy: Copy): Promise<void> {
    const { signal } = copy.aborter
    while (!signal.aborted) {
      try {
        await this.#closing.get(name)
        if (signal.aborted) return
        await this.#claim(name, copy)
        const stores = await this.#open(name, copy)
        if (stores === undefined) return
        await Promise.race([...stores.map(({ follower }) => follower.failed), aborted(signal)])
        return
      } catch (cause) {
        if (signal.aborted) return
        const stores = copy.stores ?? []
        copy.stores = undefined
        for (const { follower } of stores) follower.stop()
        await Promise.allSettled(stores.map(({ store }) => store.committed.settle()))
        if (!isTransient(cause)) return this.#options.onFailure(cause)
        this.#options.log(`the copy of task ${name} is opened again: ${cause instanceof Error ? cause.message : cause}`)
        await sleep(this.#options.clock, RETRY_MS, signal).catch(() => {})
      }
    }
  }

  /** Another worker of this process may have the task still, or its copy. */
  async #claim(name: string, copy: Copy): Promise<void> {
    const { claims, clock } = this.#options
    if (copy.isClaimed) return
    if (!claims.tryAcquire(name)) await claims.acquire(name, clock, copy.aborter.signal)
    copy.isClaimed = true
  }

  #release(name: string, copy: Copy): void {
    if (copy.isClaimed) this.#options.claims.release(name)
    copy.isClaimed = false
  }

  async #open(name: string, copy: Copy): Promise<readonly ReplicatedStore[] | undefined> {
    const { signal } = copy.aborter
    const opened: ReplicatedStore[] = []
    try {
      for (const store of openStores(parseTaskId(name), this.#options.factory).values()) {
        if (!isLogged(store.spec)) continue
        opened.push(await this.#follow(store, parseTaskId(name).partition))
        signal.throwIfAborted()
      }
      copy.stores = opened
      return opened
    } catch (cause) {
      for (const { follower } of opened) follower.stop()
      if (signal.aborted) return undefined
      throw cause
    }
  }

  async #follow(store: Store, partition: number): Promise<ReplicatedStore> {
    const { factory, changelogs } = this.#options
    const { now } = factory.restore
    const askedAt = now()
    const { topicId, from, end } = await beginRestore(store, partition, factory.cluster, factory.restore)
    const follower = changelogs.follow(
      { topic: store.spec.changelog, partition },
      {
        from,
        isUrgent: false,
        sink: (record) => {
          const key = record.key()
          if (key !== null) store.restore(key, record.value(), record.timestamp, store.headersToKeep(record))
        },
        onPosition: (offset) => flushIfDue(store.committed, { topicId, offset, writtenAt: now() }),
      },
    )
    return { store, follower, topicId, endBefore: { offset: end, askedAt } }
  }

  #close(name: string): void {
    const copy = this.#copies.get(name)!
    this.#copies.delete(name)
    copy.aborter.abort(new Error("the copy is not wanted any more"))
    const before = this.#closing.get(name)
    const done = this.#writeOut(copy)
      .catch((cause: unknown) => this.#options.onFailure(cause))
      .then(() => before)
      .finally(() => {
        this.#release(name, copy)
        if (this.#closing.get(name) === done) this.#closing.delete(name)
      })
    this.#closing.set(name, done)
  }

  async #writeOut({ stores = [], running }: Copy): Promise<void> {
    for (const { follower } of stores) follower.stop()
    await running
    const { now } = this.#options.factory.restore
    for (const { store, follower, topicId } of stores) {
      await store.committed.settle()
      store.committed.flush({ topicId, offset: follower.position, writtenAt: now() })
      await store.committed.settle()
    }
  }
}

class Copy {
  readonly aborter = new AbortController()
  /** Once they are open. */
  stores: readonly ReplicatedStore[] | undefined
  running: Promise<void> = Promise.resolve()
  /** No other worker of the process has the task's state. */
  isClaimed = false
}

/** Resolves when the signal aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))
}

/** How far the state of tasks goes that lies on disk: the sum of checkpoints, where all stores of the task have one. */
export function storedPositions(
  { topology, engines, restore }: TaskFactoryOptions,
  topicIds: ReadonlyMap<string, string>,
): Map<string, number> {
  const positions = new Map<string, number>()
  const present = Map.groupBy(engines.list(), ({ partition }) => partition)
  const reached = ({ changelog }: PhysicalStore, checkpoint: Checkpoint | undefined): number => {
    if (checkpoint === undefined || checkpoint.topicId !== topicIds.get(changelog)) return NaN
    return restore.now() - checkpoint.writtenAt < restore.deleteRetentionMs ? checkpoint.offset : NaN
  }
  for (const { id: subtopology, stores: all } of topology.subtopologies) {
    const stores = all.filter(isOnDisk)
    if (stores.length === 0) continue
    for (const [partition, list] of present) {
      const checkpoints = new Map(list.map(({ store, checkpoint }) => [store, checkpoint]))
      const sum = stores.reduce((total, store) => total + reached(store, checkpoints.get(store.name)), 0)
      if (!Number.isNaN(sum)) positions.set(formatTaskId({ subtopology, partition }), sum)
    }
  }
  return positions
}
