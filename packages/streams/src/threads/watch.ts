/**
 * What a worker thread does for those who listen to a table of its process: it tells the changes of the partitions that it
 * has, those of one transaction in one message.
 *
 * A partition may have been another thread's a moment ago, whose last changes are still on their way: so it asks for its
 * turn, and begins with the partition's rows when it has got it (changes.ts).
 */
import type { Subscription } from "rxjs"
import type { ChangeTurns } from "../query/changes.ts"
import type { Handle } from "../run/handle.ts"
import { packFailure } from "./failure.ts"
import type { ToThread, WatchMessage } from "./messages.ts"
import { packChange, type PackedChange } from "./rows.ts"

type Asked = Extract<ToThread, { readonly kind: "watch" | "unwatch" | "turn" }>

export class Watches {
  readonly #handle: Handle
  readonly #tell: (message: WatchMessage) => void
  readonly #watches = new Map<number, Watch>()

  constructor(handle: Handle, tell: (message: WatchMessage) => void) {
    this.#handle = handle
    this.#tell = tell
  }

  follow(message: Asked): void {
    const { id } = message
    if (message.kind === "watch") this.#watches.set(id, new Watch(id, message.store, this.#handle, this.#tell))
    else if (message.kind === "turn") this.#watches.get(id)?.turn(message.partition)
    else {
      this.#watches.get(id)?.stop()
      this.#watches.delete(id)
    }
  }
}

class Watch implements ChangeTurns {
  readonly #id: number
  readonly #handle: Handle
  readonly #tell: (message: WatchMessage) => void
  readonly #asked = new Set<number>()
  readonly #given = new Set<number>()
  readonly #subscription: Subscription
  #changes: PackedChange[] = []

  constructor(id: number, store: string, handle: Handle, tell: (message: WatchMessage) => void) {
    this.#id = id
    this.#handle = handle
    this.#tell = tell
    const info = handle.queries.find(store)
    this.#subscription = handle.changes(store, this).subscribe({
      next: (change) => {
        if (this.#changes.push(packChange(change, info)) === 1) queueMicrotask(() => this.#flush())
      },
      error: (cause: unknown) => {
        this.#flush()
        tell({ kind: "unwatched", id, failure: packFailure(cause) })
      },
      complete: () => this.#flush(),
    })
  }

  begin(partition: number): boolean {
    if (this.#given.has(partition)) return true
    if (!this.#asked.has(partition)) {
      this.#asked.add(partition)
      this.#tell({ kind: "here", id: this.#id, partition })
    }
    return false
  }

  turn(partition: number): void {
    this.#given.add(partition)
    this.#handle.told()
  }

  gone(partition: number): void {
    this.#flush()
    this.#asked.delete(partition)
    this.#given.delete(partition)
    this.#tell({ kind: "gone", id: this.#id, partition })
  }

  stop(): void {
    this.#subscription.unsubscribe()
  }

  #flush(): void {
    if (this.#changes.length === 0) return
    this.#tell({ kind: "changes", id: this.#id, changes: this.#changes })
    this.#changes = []
  }
}
