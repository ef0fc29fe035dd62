/**
 * Committed offsets of a shard's groups, and those that wait for a transaction to end.
 *
 * All of it is durable state: only `replay` and `replayMarker` call what changes it. Offsets committed in a transaction
 * become visible at its commit marker, all at once, but rank by where their record lies: a plain commit that the log has
 * behind them, though before the marker, wins (row 47).
 */
import { type UndoLog, UndoMap } from "../coordinator/undo.ts"
import type { CommittedOffset } from "./records.ts"

export interface StoredOffset extends CommittedOffset {
  /** Where the commit lies in `__consumer_offsets`. */
  readonly recordOffset: number
}

type Partitions<Value> = UndoMap<number, Value>
type Topics<Value> = UndoMap<string, Partitions<Value>>

/** A value per group, topic and partition; empty levels are removed. */
class PartitionTable<Value> {
  readonly #undo: UndoLog
  readonly #groups: UndoMap<string, Topics<Value>>

  constructor(undo: UndoLog) {
    this.#undo = undo
    this.#groups = new UndoMap(undo)
  }

  get(group: string, topic: string, partition: number): Value | undefined {
    return this.#groups.get(group)?.get(topic)?.get(partition)
  }

  topics(group: string): Topics<Value> | undefined {
    return this.#groups.get(group)
  }

  groups(): IterableIterator<string> {
    return this.#groups.keys()
  }

  set(group: string, topic: string, partition: number, value: Value): void {
    let topics = this.#groups.get(group)
    if (topics === undefined) this.#groups.set(group, (topics = new UndoMap(this.#undo)))
    let partitions = topics.get(topic)
    if (partitions === undefined) topics.set(topic, (partitions = new UndoMap(this.#undo)))
    partitions.set(partition, value)
  }

  delete(group: string, topic: string, partition: number): void {
    const topics = this.#groups.get(group)
    const partitions = topics?.get(topic)
    if (topics === undefined || partitions === undefined) return
    partitions.delete(partition)
    if (partitions.size === 0) topics.delete(topic)
    if (topics.size === 0) this.#groups.delete(group)
  }

  *entries(): Generator<[group: string, topic: string, partition: number, value: Value]> {
    for (const [group, topics] of this.#groups) {
      for (const [topic, partitions] of topics) {
        for (const [partition, value] of partitions) yield [group, topic, partition, value]
      }
    }
  }
}

export class OffsetStore {
  readonly #undo: UndoLog
  readonly #committed: PartitionTable<StoredOffset>
  /** By producer id: what its open transaction would commit. */
  readonly #pending: UndoMap<number, PartitionTable<StoredOffset>>
  /** The producers with an open transaction on a partition's offset. */
  readonly #open: PartitionTable<readonly number[]>

  constructor(undo: UndoLog) {
    this.#undo = undo
    this.#committed = new PartitionTable(undo)
    this.#pending = new UndoMap(undo)
    this.#open = new PartitionTable(undo)
  }

  get(group: string, topic: string, partition: number): StoredOffset | undefined {
    return this.#committed.get(group, topic, partition)
  }

  topics(group: string): UndoMap<string, UndoMap<number, StoredOffset>> | undefined {
    return this.#committed.topics(group)
  }

  /** A transaction that is neither committed nor aborted would change this offset (row 46). */
  isUnstable(group: string, topic: string, partition: number): boolean {
    return this.#open.get(group, topic, partition) !== undefined
  }

  hasOpenTransactions(group: string): boolean {
    return this.#open.topics(group) !== undefined
  }

  /** Every partition of the group with an offset, committed or pending. */
  *partitionsOf(group: string): Generator<[topic: string, partition: number]> {
    for (const [topic, partitions] of this.#committed.topics(group) ?? []) {
      for (const partition of partitions.keys()) yield [topic, partition]
    }
    for (const [topic, partitions] of this.#open.topics(group) ?? []) {
      for (const partition of partitions.keys()) {
        if (this.#committed.get(group, topic, partition) === undefined) yield [topic, partition]
      }
    }
  }

  groupsWithOffsets(): string[] {
    return [...new Set([...this.#committed.groups(), ...this.#open.groups()])]
  }

  replayCommit(group: string, topic: string, partition: number, value: StoredOffset, producerId?: number): void {
    if (producerId === undefined) {
      this.#committed.set(group, topic, partition, value)
      return
    }
    let pending = this.#pending.get(producerId)
    if (pending === undefined) this.#pending.set(producerId, (pending = new PartitionTable(this.#undo)))
    pending.set(group, topic, partition, value)
    const producers = this.#open.get(group, topic, partition) ?? []
    if (!producers.includes(producerId)) this.#open.set(group, topic, partition, [...producers, producerId])
  }

  /** A tombstone removes what is committed and what is pending. */
  replayRemoval(group: string, topic: string, partition: number): void {
    this.#committed.delete(group, topic, partition)
    for (const producerId of this.#open.get(group, topic, partition) ?? []) {
      this.#pending.get(producerId)?.delete(group, topic, partition)
    }
    this.#open.delete(group, topic, partition)
  }

  replayMarker(producerId: number, commit: boolean): void {
    const pending = this.#pending.get(producerId)
    if (pending === undefined) return
    this.#pending.delete(producerId)
    for (const [group, topic, partition, value] of pending.entries()) {
      const others = (this.#open.get(group, topic, partition) ?? []).filter((id) => id !== producerId)
      if (others.length > 0) this.#open.set(group, topic, partition, others)
      else this.#open.delete(group, topic, partition)
      const current = this.#committed.get(group, topic, partition)
      if (commit && (current === undefined || current.recordOffset < value.recordOffset)) {
        this.#committed.set(group, topic, partition, value)
      }
    }
  }

  /** Committed and pending offsets as plain data, in a fixed order: two stores are equal when these are. */
  dump(): { committed: unknown[]; pending: unknown[] } {
    const order = (rows: unknown[]) => rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    return {
      committed: order([...this.#committed.entries()]),
      pending: order(
        [...this.#pending].flatMap(([producerId, table]) => [...table.entries()].map((row) => [producerId, ...row])),
      ),
    }
  }
}
