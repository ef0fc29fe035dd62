/**
 * A table as an Observable: what its rows are now, then each change, as transactions commit them.
 *
 *     handle.changes(table).subscribe(({ key, value }) => …)       value undefined: the row was deleted
 *
 * Of partitions that are here, one whose task comes later beginning with its rows. Changes are told after the commit, each
 * key once a transaction with its last value: what was aborted is never seen. A listener that throws errs by itself, as
 * RxJS has it, and does the run no harm. It completes when the run ends.
 *
 * A row whose schema is not known yet waits for it, and what comes after it too; it errs when the registry has none.
 */
import { UnknownSchemaId } from "@millrace/schema"
import { Observable, Subject } from "rxjs"
import type { Headers } from "../dsl/record.ts"
import { bytesOf } from "../state/byte-order.ts"
import { KeyValueStore } from "../state/key-value-store.ts"
import { isCellKey, type Store } from "../state/store.ts"
import { VersionedStore } from "../state/versioned-store.ts"
import { DELETED, isLatest, keyOfLatest } from "../state/versions.ts"
import { WindowStore } from "../state/window-store.ts"
import { cursorOf } from "./cursor.ts"
import type { Queries } from "./queries.ts"
import { readMany } from "./read.ts"
import type { StoreInfo } from "./stores.ts"

export interface Change<K, V> {
  readonly key: K
  /** Undefined: there is no row any more. */
  readonly value: V | undefined
  readonly timestamp: number
  /** Of a store that keeps them; of a deletion there are none. */
  readonly headers?: Headers
}

/** Who may listen to a partition, where several threads have the partitions of a process: threads/watch.ts. */
export interface ChangeTurns {
  /** Whether it may be listened to now; asked again with the next commit. */
  begin(partition: number): boolean
  /** It is not here any more; all its changes were told. */
  gone(partition: number): void
}

const AT_ONCE: ChangeTurns = { begin: () => true, gone: () => {} }

export class TableChanges {
  readonly #queries: Queries
  readonly #committed = new Subject<void>()

  constructor(queries: Queries) {
    this.#queries = queries
  }

  /** After a commit, or when tasks came or went. */
  committed(): void {
    this.#committed.next()
  }

  complete(): void {
    this.#committed.complete()
  }

  of(info: StoreInfo, turns = AT_ONCE): Observable<Change<any, any>> {
    return new Observable((subscriber) => {
      const watched = new Map<Store, Watched>()
      let [isWaiting, isOver] = [false, false]
      const tell = () => {
        if (isWaiting || subscriber.closed) return
        try {
          for (const change of committedIn(info, watched)) subscriber.next(change)
          // Stores are closed once the run is over.
          if (isOver) subscriber.complete()
          else for (const row of this.#rowsOfNew(info, watched, turns)) subscriber.next(row)
        } catch (cause) {
          // A row that does not decode, say: the listener's matter, not the run's.
          if (cause instanceof UnknownSchemaId) wait(cause)
          else subscriber.error(cause)
        }
      }
      const wait = (unknown: UnknownSchemaId) => {
        isWaiting = true
        const resumed = unknown.resolve().then(() => {
          isWaiting = false
          tell()
        })
        resumed.catch((cause: unknown) => subscriber.error(cause))
      }
      tell()
      const complete = () => {
        isOver = true
        tell()
      }
      const subscription = this.#committed.subscribe({ next: tell, complete })
      return () => {
        subscription.unsubscribe()
        for (const { stop } of watched.values()) stop()
      }
    })
  }

  /** All rows of partitions that are new here; goes on where it stopped for a schema. */
  *#rowsOfNew(info: StoreInfo, watched: Map<Store, Watched>, turns: ChangeTurns): Iterable<Change<any, any>> {
    const here = new Map(
      this.#queries.partitionsHere(info).flatMap((partition) => {
        const readable = this.#queries.readable(info, partition)
        return readable === undefined ? [] : [[readable.store, { ...readable, partition }] as const]
      }),
    )
    for (const [store, { stop, partition }] of watched) {
      if (here.has(store)) continue
      stop()
      watched.delete(store)
      turns.gone(partition)
    }
    for (const [store, readable] of here) {
      if (!watched.has(store)) {
        if (!turns.begin(readable.partition)) continue
        const committed: Array<readonly [string, Uint8Array | null]> = []
        const stop = store.onMerge((stored, bytes) => committed.push([stored, bytes]))
        watched.set(store, { partition: readable.partition, committed, stop, isRead: false, last: undefined })
      }
      const one = watched.get(store)!
      if (one.isRead) continue
      const query = { kind: "range", ...(one.last !== undefined && { after: cursorOf(one.last) }) } as const
      for (const { stored, row } of readMany(readable, store.committed, query)) {
        yield row
        one.last = stored
      }
      one.isRead = true
    }
  }
}

/** What was committed since it was told last. What cannot be read yet stays, and all behind it. */
function* committedIn(info: StoreInfo, watched: ReadonlyMap<Store, Watched>): Iterable<Change<any, any>> {
  for (const [store, { committed, isRead, last }] of watched) {
    let told = 0
    try {
      for (const [stored, bytes] of committed) {
        // Rows that are not told yet are read as they are by then.
        const isToCome = !isRead && (last === undefined || stored > last)
        // Past versions are no rows, and a deletion that is forgotten was told before.
        const isPast = store instanceof VersionedStore && (bytes === null || !isLatest(stored))
        if (!isToCome && !isPast && !isCellKey(stored))
          yield { key: keyOf(info, store, stored), ...valueOf(store, bytes) }
        told++
      }
    } finally {
      committed.splice(0, told)
    }
  }
}

/** A store that is listened to, and what it committed since it was told last. */
interface Watched {
  readonly partition: number
  readonly committed: Array<readonly [stored: string, bytes: Uint8Array | null]>
  readonly stop: () => void
  /** All rows were told that there were when it began. */
  isRead: boolean
  /** The stored key of the last one that was. */
  last: string | undefined
}

function keyOf({ windowSizeMs }: StoreInfo, store: Store, stored: string): unknown {
  if (store instanceof WindowStore) {
    const { key, start } = store.windowOf(stored)
    return { key, start, end: start + windowSizeMs }
  }
  if (store instanceof VersionedStore) return store.spec.key.decode(bytesOf(keyOfLatest(stored)))
  return (store as KeyValueStore).spec.key.decode(bytesOf(stored))
}

function valueOf(store: Store, bytes: Uint8Array | null) {
  const { value, ...rest } = store.decode(bytes ?? undefined)
  return { value: value === DELETED ? undefined : value, ...rest }
}
