/**
 * The rows of a global table or store: committed bytes without transactions, with the offset up to which each partition of
 * the topic was read beside them, so that both reach the engine together, and with what they were made by: the topic's records
 * are a table's rows themselves, a store's are what its function makes of them.
 */
import { UnknownSchemaId } from "@millrace/schema"
import type { GlobalStoreSpec } from "../topology/topology.ts"
import type { FlushLimits } from "./committed.ts"
import type { Checkpoint, StateEngine } from "./engine.ts"
import type { Stamped } from "./key-value-store.ts"
import { KeyValueStore } from "./key-value-store.ts"
import { type Position, positionOf } from "../query/position.ts"
import { byteString } from "./byte-order.ts"

/** Rows as operators read them; a value is decoded afresh for each read. */
export interface GlobalRows {
  get(key: unknown): Stamped<any>
}

export class GlobalStore extends KeyValueStore implements GlobalRows {
  readonly #positions = new Map<number, number>()
  /** That it follows. */
  readonly topic: string
  /** Nothing comes here that does not decode (unreadable-rows.ts). */
  isChecked = false
  readonly #made: number

  constructor(spec: GlobalStoreSpec, engine: StateEngine, limits: FlushLimits) {
    super(spec, engine, limits)
    this.topic = spec.topic
    this.#made = MADE_BY[spec.node.kind]!
  }

  /** The row that whoever maintains it sees: with what it has put for the record at hand. */
  getOpen(key: unknown): Stamped<any> {
    return super.get(key)
  }

  /** The row of now: unlike a task's, it is not kept for the transaction. */
  override get(key: unknown): Stamped<any> {
    const stored = this.committed.get(byteString(this.spec.key.encode(key)))
    try {
      return this.decode(stored)
    } catch (cause) {
      throw unreadableRow(this.spec.name, cause)
    }
  }

  /** The first offset of a partition that was not read; undefined when it was never read. */
  position(partition: number): number | undefined {
    const known = this.#positions.get(partition)
    if (known !== undefined) return known
    const stored = this.cell(positionCell(partition)).value
    return stored < 0 ? undefined : stored
  }

  /** As a position of queries: the last offset seen of each partition. */
  seen(): Position {
    const { topic } = this
    return positionOf([...this.#positions].map(([partition, next]) => ({ topic, partition, next })))
  }

  /** What was applied since the last call is of the records below it. */
  moveTo(partition: number, position: number): void {
    this.#positions.set(partition, position)
  }

  /** Hands what was read to the engine. */
  flush(checkpoint: Omit<Checkpoint, "offset">): void {
    this.putCell(CHECKED_CELL, this.isChecked ? 1 : 0)
    this.putCell(MADE_CELL, this.#made)
    for (const [partition, position] of this.#positions) this.putCell(positionCell(partition), position)
    this.committed.flush({ ...checkpoint, offset: 0 })
  }

  /** The engine may have rows of a run that checked nothing. */
  get hasUnchecked(): boolean {
    return this.isChecked && this.cell(CHECKED_CELL).value !== 1
  }

  /** The engine has a table's rows where a store's are wanted, or the other way round. */
  get isOfOtherKind(): boolean {
    return this.cell(MADE_CELL).value !== this.#made
  }

  async clear(): Promise<void> {
    this.#positions.clear()
    await this.committed.clear()
    this.forgetReads()
  }
}

/** It is not what the record holds that looks for the row. */
export function unreadableRow(table: string, cause: unknown): unknown {
  if (cause instanceof UnknownSchemaId) return cause
  return new Error(`the row that it asks of global table "${table}" does not decode`, { cause })
}

const CHECKED_CELL = "checked"
const MADE_CELL = "made-by"
const MADE_BY: { readonly [kind: string]: number } = { "global-table": 0, "global-store": 1 }
const positionCell = (partition: number): string => `position-${partition}`
