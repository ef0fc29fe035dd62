/**
 * A table of a process whose tasks run in worker threads, as an Observable: what its rows are now, then each change, as the
 * threads' transactions commit them.
 *
 * Each thread tells of the partitions that it has. One that got a partition from another waits for its turn until the other
 * has told that the partition is gone, or has ended: so the changes of a key come in their order. A partition that comes
 * begins with its rows, as it does in one thread.
 */
import { UnknownSchemaId } from "@millrace/schema"
import { Observable, type Subscriber } from "rxjs"
import type { Change } from "../query/changes.ts"
import type { StoreInfo } from "../query/stores.ts"
import { unpackFailure } from "./failure.ts"
import type { WatchMessage } from "./messages.ts"
import { type PackedChange, unpackChange } from "./rows.ts"
import type { WorkerThread } from "./thread.ts"

interface Listener {
  readonly info: StoreInfo
  readonly subscriber: Subscriber<Change<any, any>>
  /** Who has the turn of a partition, and who waits for it. */
  readonly turns: Map<number, WorkerThread[]>
  /** What was told is handed over in its order, though a schema may have to be fetched first. */
  told: Promise<void>
}

export class ThreadChanges {
  readonly #threads: () => readonly WorkerThread[]
  readonly #listeners = new Map<number, Listener>()
  #nextId = 0
  #isOver = false

  constructor(threads: () => readonly WorkerThread[]) {
    this.#threads = threads
  }

  of(info: StoreInfo): Observable<Change<any, any>> {
    return new Observable((subscriber) => {
      if (this.#isOver) return subscriber.complete()
      const id = this.#nextId++
      this.#listeners.set(id, { info, subscriber, turns: new Map(), told: Promise.resolve() })
      for (const thread of this.#threads()) if (thread.isStarted) thread.watch(id, info.name)
      return () => {
        this.#listeners.delete(id)
        for (const thread of this.#threads()) thread.unwatch(id)
      }
    })
  }

  started(thread: WorkerThread): void {
    for (const [id, { info }] of this.#listeners) thread.watch(id, info.name)
  }

  follow(thread: WorkerThread, message: WatchMessage): void {
    const listener = this.#listeners.get(message.id)
    if (listener === undefined) return
    if (message.kind === "changes") this.#deliver(listener, message.changes)
    else if (message.kind === "unwatched") listener.subscriber.error(unpackFailure(message.failure))
    else if (message.kind === "gone") this.#leave(message.id, listener, message.partition, thread)
    else {
      const queue = listener.turns.get(message.partition) ?? []
      listener.turns.set(message.partition, queue)
      if (queue.push(thread) === 1) thread.giveTurn(message.id, message.partition)
    }
  }

  /** A thread has ended, and will tell nothing more. */
  ended(thread: WorkerThread): void {
    for (const [id, listener] of this.#listeners)
      for (const partition of listener.turns.keys()) this.#leave(id, listener, partition, thread)
  }

  #leave(id: number, { turns }: Listener, partition: number, thread: WorkerThread): void {
    const queue = turns.get(partition) ?? []
    const place = queue.indexOf(thread)
    if (place < 0) return
    queue.splice(place, 1)
    if (place === 0) queue[0]?.giveTurn(id, partition)
  }

  #deliver(listener: Listener, changes: readonly PackedChange[]): void {
    listener.told = listener.told.then(async () => {
      for (const packed of changes) {
        try {
          listener.subscriber.next(await unpacked(packed, listener.info))
        } catch (cause) {
          listener.subscriber.error(cause)
        }
      }
    })
  }

  /** The run has ended. */
  complete(): void {
    this.#isOver = true
    for (const { subscriber, told } of this.#listeners.values()) void told.then(() => subscriber.complete())
  }
}

async function unpacked(packed: PackedChange, info: StoreInfo): Promise<Change<any, any>> {
  for (;;) {
    try {
      return unpackChange(packed, info)
    } catch (failure) {
      // A thread knows a schema that this one has not met.
      if (!(failure instanceof UnknownSchemaId)) throw failure
      await failure.resolve()
    }
  }
}
