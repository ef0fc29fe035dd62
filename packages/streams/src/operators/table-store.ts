/**
 * The store of a table made from a topic or a stream, as its options say, and the processor that keeps it.
 */
import { type Duration, durationMs, ttlMsOf } from "../dsl/duration.ts"
import { PipelineError } from "../errors.ts"
import type { TaskContext } from "../task/context.ts"
import { type StoreKeeping, storeKeeping, type StoreSpec, ttlSpec } from "../topology/node.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { isAbsent, NO_HEADERS, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import type { KeyValueStore } from "../state/key-value-store.ts"
import { ExpiringTableSource } from "./expiring-table.ts"
import { copyOf, Processor } from "./operator.ts"
import { VersionedTableSource } from "./versioned-table.ts"

/** What becomes of a table's rows in time: one of these at most. */
export interface TableHistory {
  /** Keeps the versions of each row that held within so much stream time, for reads as of a time: versioned-table.ts. */
  readonly versioned?: { readonly history: Duration }
  /** A row goes once the table's stream time is its timestamp and so much beyond it: expiring-table.ts. */
  readonly ttl?: Duration
}

export interface TableStoreOptions extends StoreKeeping, TableHistory {
  /**
   * Rows keep the headers of their records, and changes carry them (KIP-1271, KIP-1285): through `filterTable`, `mapTable` and
   * `suppress`, whose stores keep them too, and out by `toStream`. Default: as the pipeline says. Rows of before have none
   * until they are written again. Not with `versioned`.
   */
  readonly headers?: boolean
}

/** `what` names the table in errors. */
export function tableStores(
  what: string,
  { name, key, value }: Pick<StoreSpec, "name" | "key" | "value">,
  options: TableStoreOptions,
): { readonly stores: readonly StoreSpec[]; readonly ttlMs?: number } {
  const { versioned, headers } = options
  const ttlMs = ttlMsOf(what, options.ttl)
  const rows: StoreSpec = { name, kind: "key-value", key, value, ...storeKeeping(options) }
  if (versioned !== undefined) {
    if (headers === true) throw new PipelineError(`${what}: versions keep no headers: leave out one of both`)
    if (ttlMs !== undefined) throw new PipelineError(`${what}: give either a ttl or versioned, not both`)
    const retentionMs = durationMs(`${what} history`, versioned.history)
    if (retentionMs === 0) throw new PipelineError(`${what} history: must be more than 0`)
    return { stores: [{ ...rows, kind: "versioned", retentionMs }] }
  }
  const kept = headers === undefined ? rows : { ...rows, headers }
  return ttlMs === undefined ? { stores: [kept] } : { stores: [kept, ttlSpec(rows)], ttlMs }
}

export function makeTableSource(node: PhysicalNode, context: TaskContext): Processor {
  const { stores } = node
  if (stores[0]!.kind === "versioned") return new VersionedTableSource(node, context)
  return stores.length > 1 ? new ExpiringTableSource(node, context) : new TableSource(node, context)
}

/** Upserts a stream into the store of its node. */
class TableSource extends Processor {
  readonly #store = this.context.store(this.node.stores[0]!.name) as KeyValueStore
  readonly #keepsHeaders = this.node.stores[0]!.headers === true

  receive(record: StreamRecord): void {
    const { key, value, timestamp } = record
    if (isAbsent(key)) return this.context.drop("null-key", record)
    const kept = isAbsent(value) ? undefined : value
    const old = this.node.needsOld ? copyOf(this.node, this.#store.get(key).value) : TOMBSTONE
    const headers = this.#keepsHeaders ? record.headers : NO_HEADERS
    this.#store.put(key, kept, timestamp, headers)
    this.next.receive(record.change(key, kept ?? TOMBSTONE, old, timestamp, headers))
  }
}
