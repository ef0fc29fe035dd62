/**
 * Who waits for the rows of a right table of a foreign-key join: by foreign key, in the order of the left keys' bytes.
 *
 * All subscribers of a foreign key are one range of stored keys, whose first bytes are its hash: so finding them costs
 * what there are of them, in the memtable too. What the open transaction wrote lies by foreign key.
 */
import type { Subscriber, SubscriberKey, SubscriberKeySerde } from "../serde/foreign-keys.ts"
import { FOREIGN_KEY_HASH_BYTES } from "../serde/foreign-keys.ts"
import type { PhysicalStore } from "../topology/topology.ts"
import { above, byteString, bytesOf } from "./byte-order.ts"
import { type FlushLimits, mergeLayers } from "./committed.ts"
import type { StateEngine } from "./engine.ts"
import { isCellKey, Store, type WriteStaged } from "./store.ts"

interface Written {
  /** undefined deletes. */
  readonly value: Subscriber | undefined
  readonly timestamp: number
}

export class SubscriptionStore<F = any, K = any> extends Store {
  readonly #key: SubscriberKeySerde<F, K>
  readonly #open = new Map<string, Map<string, Written>>()
  #openEntries = 0

  constructor(spec: PhysicalStore, engine: StateEngine, limits: FlushLimits) {
    super(spec, engine, limits, FOREIGN_KEY_HASH_BYTES)
    this.#key = spec.key as SubscriberKeySerde<F, K>
  }

  /** undefined deletes. */
  put(foreignKey: F, key: K, value: Subscriber | undefined, timestamp: number): void {
    const prefix = byteString(this.#key.prefix(foreignKey))
    let written = this.#open.get(prefix)
    if (written === undefined) this.#open.set(prefix, (written = new Map()))
    const stored = byteString(this.#key.encode({ foreignKey, key }))
    if (!written.has(stored)) this.#openEntries++
    written.set(stored, { value, timestamp })
  }

  /** As the open transaction sees them. Nothing may be put while it runs. */
  *subscribers(foreignKey: F): Iterable<readonly [key: K, subscriber: Subscriber]> {
    const prefix = byteString(this.#key.prefix(foreignKey))
    const layers = [sorted(this.#open.get(prefix)), this.#committed(prefix, above(prefix))]
    for (const [stored, { value }] of mergeLayers(layers)) {
      if (value !== undefined) yield [this.#keyOf(stored).key, value]
    }
  }

  *#committed(from?: string, to?: string): Iterable<readonly [string, Written]> {
    for (const [stored, bytes] of this.committed.range(from, to)) {
      if (!isCellKey(stored)) yield [stored, this.decode(bytes)]
    }
  }

  #keyOf(stored: string): SubscriberKey<F, K> {
    return this.#key.decode(bytesOf(stored))
  }

  get openEntries(): number {
    return this.#openEntries
  }

  protected stageEntries(write: WriteStaged): void {
    for (const written of this.#open.values()) {
      for (const [stored, { value, timestamp }] of written) write(stored, value, timestamp)
    }
  }

  protected closeOverlay(): void {
    this.#open.clear()
    this.#openEntries = 0
  }

  /** Committed entries, those of a foreign key together. */
  *entries(): Iterable<{ readonly key: SubscriberKey<F, K>; readonly value: Subscriber; readonly timestamp: number }> {
    for (const [stored, { value, timestamp }] of this.#committed()) {
      yield { key: this.#keyOf(stored), value: value!, timestamp }
    }
  }
}

const sorted = (written: ReadonlyMap<string, Written> | undefined): Array<readonly [string, Written]> =>
  written === undefined ? [] : [...written].sort(([left], [right]) => (left < right ? -1 : 1))
