/**
 * A store's bytes as a query reads them: the committed ones, or with what the open transaction has written laid over.
 */
import { type CommittedBytes, mergeLayers } from "../state/committed.ts"
import type { Store } from "../state/store.ts"

export type BytesView = Pick<CommittedBytes, "get" | "range" | "prefixes">

export function bytesView(store: Store, isolation: "read_committed" | "read_uncommitted"): BytesView {
  return isolation === "read_committed" ? store.committed : new Uncommitted(store)
}

class Uncommitted implements BytesView {
  readonly #committed: CommittedBytes
  readonly #written: ReadonlyMap<string, Uint8Array | null>
  readonly #prefixLength: number

  constructor(store: Store) {
    this.#committed = store.committed
    this.#written = store.uncommitted()
    this.#prefixLength = store.committed.prefixLength
  }

  get(key: string): Uint8Array | undefined {
    const written = this.#written.get(key)
    return written === undefined ? this.#committed.get(key) : (written ?? undefined)
  }

  range(from?: string, to?: string, reverse = false): Iterable<readonly [string, Uint8Array]> {
    const inRange = [...this.#written]
      .filter(([key]) => (from === undefined || key >= from) && (to === undefined || key < to))
      .sort(([left], [right]) => (left < right ? -1 : 1))
    return mergeLayers([reverse ? inRange.toReversed() : inRange, this.#committed.range(from, to, reverse)], reverse)
  }

  prefixes(from: string, to: string): string[] {
    const written = [...this.#written.keys()].map((key) => key.slice(0, this.#prefixLength))
    const found = new Set([...written.filter((prefix) => prefix >= from && prefix < to)])
    for (const prefix of this.#committed.prefixes(from, to)) found.add(prefix)
    return [...found].sort()
  }
}
