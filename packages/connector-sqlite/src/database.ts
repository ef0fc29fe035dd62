/**
 * One SQLite file as the sink sees it: tables it creates and widens, prepared statements, and the offsets of what it has
 * taken, in the same transaction as the rows.
 *
 * Invariants:
 *  - a row and the offset that covers it become visible together or not at all;
 *  - a record below the stored offset of its partition is not applied again, not even by a task that has lost the
 *    partition and does not know it yet: the offset is read inside the transaction that writes.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite"
import {
  DataError,
  RetriableError,
  type SinkRecord,
  type AssignedPartition,
  type TopicPartition,
  type TopicPartitionOffset,
} from "@millrace/connect/sdk"
import { type Row, rowOf } from "./row.ts"
import { databasePath, type SqliteSinkSettings } from "./sqlite-config.ts"
import * as sql from "./statements.ts"

/** Prepared statements kept; one a table and set of columns. */
const STATEMENTS_MAX = 500

const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6

/** Takes a record that makes no row, or throws when there is no place for it. */
export type RefuseRecord = (record: SinkRecord, error: Error) => void

export class SinkDatabase {
  readonly #settings: SqliteSinkSettings
  readonly #connector: string
  readonly #refuse: RefuseRecord
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #topicIds = new Map<string, string | null>()
  /** Columns of each table that is known to exist. */
  readonly #tables = new Map<string, Set<string>>()

  constructor(settings: SqliteSinkSettings, connector: string, refuse: RefuseRecord) {
    this.#settings = settings
    this.#connector = connector
    this.#refuse = refuse
    const path = databasePath(settings["connection.url"])
    try {
      this.#database = new DatabaseSync(path, { timeout: settings["busy.timeout.ms"] })
      // FULL: a commit is on the device when it returns, as the committed offsets of the group rely on it.
      this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
      this.#database.exec(sql.createOffsetsTable(settings["offsets.table"]))
    } catch (cause) {
      throw new Error(`connection.url: cannot open the database ${path}: ${(cause as Error).message}`, { cause })
    }
  }

  nextOffset(place: TopicPartition): number | undefined {
    return this.#stored(place)?.next_offset
  }

  /**
   * Where to read on in a partition of the topic with this id. Offsets of an earlier topic of the same name are forgotten:
   * they would make the first records of the new one look as if they had been applied.
   */
  adopt({ topic, partition, topicId }: AssignedPartition): number | undefined {
    const stored = this.#stored({ topic, partition })
    if (stored && topicId !== undefined && stored.topic_id !== topicId) {
      const table = this.#settings["offsets.table"]
      const isOther = stored.topic_id !== null
      this.#transaction(() => {
        if (isOther) this.#prepare(sql.deleteOffset(table)).run(this.#connector, topic, partition)
        else this.#prepare(sql.nameTopicId(table)).run(topicId, this.#connector, topic, partition)
      })
      if (isOther) stored.next_offset = undefined
    }
    this.#topicIds.set(topic, topicId ?? null)
    return stored?.next_offset
  }

  /** Applies records in one transaction; those already applied are passed by. */
  write(records: readonly SinkRecord[]): void {
    this.#transaction(() => {
      const next = new Map<string, TopicPartitionOffset>()
      for (const record of records) {
        const { topic, partition, offset } = record
        const place = `${partition} ${topic}`
        const expected = next.get(place)?.offset ?? this.nextOffset(record) ?? 0
        if (offset < expected) continue
        const row = this.#rowOf(record)
        if (row) this.#apply(row)
        next.set(place, { topic, partition, offset: offset + 1 })
      }
      for (const place of next.values()) this.#storeOffset(place)
    })
  }

  /** Stores offsets past records that left no row; never moves one back. */
  advance(offsets: readonly TopicPartitionOffset[]): void {
    const behind = offsets.filter((place) => (this.nextOffset(place) ?? -1) < place.offset)
    if (behind.length === 0) return
    this.#transaction(() => {
      for (const place of behind) if ((this.nextOffset(place) ?? -1) < place.offset) this.#storeOffset(place)
    })
  }

  /** Sets or, with null, forgets offsets. */
  alter(offsets: readonly (TopicPartition & { readonly offset: number | null })[]): void {
    this.#transaction(() => {
      for (const { topic, partition, offset } of offsets) {
        if (offset !== null) this.#storeOffset({ topic, partition, offset })
        else this.#prepare(sql.deleteOffset(this.#settings["offsets.table"])).run(this.#connector, topic, partition)
      }
    })
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  /** Undefined when the record was refused and another place took it. */
  #rowOf(record: SinkRecord): Row | undefined {
    try {
      return rowOf(this.#settings, record)
    } catch (cause) {
      if (!(cause instanceof DataError)) throw cause
      const place = `${record.topic}-${record.partition} offset ${record.offset}`
      this.#refuse(record, new DataError(`${place}: ${cause.message}`, { cause }))
      return undefined
    }
  }

  #apply(row: Row): void {
    if (row.isDelete) {
      if (this.#columnsOf(row.table)) this.#prepare(sql.deleteRow(row.table, row.columns)).run(...row.cells)
      return
    }
    this.#ensureTable(row)
    const write = this.#settings["insert.mode"] === "upsert" ? sql.upsert : sql.insert
    this.#prepare(write(row.table, row.columns)).run(...row.cells)
  }

  #ensureTable(row: Row): void {
    let columns = this.#columnsOf(row.table)
    if (!columns) {
      if (!this.#settings["auto.create"]) {
        throw new Error(`there is no table ${row.table}: create it, or set auto.create=true`)
      }
      this.#database.exec(sql.createTable(row.table, row.columns))
      columns = new Set(row.columns.map((column) => column.name))
      this.#tables.set(row.table, columns)
    }
    for (const column of row.columns) {
      if (columns.has(column.name)) continue
      if (!this.#settings["auto.evolve"]) {
        throw new Error(`table ${row.table} has no column ${column.name}: add it, or set auto.evolve=true`)
      }
      this.#database.exec(sql.addColumn(row.table, column))
      columns.add(column.name)
    }
  }

  #columnsOf(table: string): Set<string> | undefined {
    const known = this.#tables.get(table)
    if (known) return known
    const rows = this.#database.prepare("SELECT name FROM pragma_table_info(?)").all(table) as { name: string }[]
    if (rows.length === 0) return undefined
    const columns = new Set(rows.map((row) => row.name))
    this.#tables.set(table, columns)
    return columns
  }

  #storeOffset({ topic, partition, offset }: TopicPartitionOffset): void {
    const statement = this.#prepare(sql.upsertOffset(this.#settings["offsets.table"]))
    statement.run(this.#connector, topic, partition, offset, this.#topicIds.get(topic) ?? null)
  }

  #stored({ topic, partition }: TopicPartition) {
    const select = this.#prepare(sql.selectOffset(this.#settings["offsets.table"]))
    const found = select.get(this.#connector, topic, partition)
    return found as { next_offset: number | undefined; readonly topic_id: string | null } | undefined
  }

  #prepare(text: string): StatementSync {
    let statement = this.#statements.get(text)
    if (!statement) {
      if (this.#statements.size >= STATEMENTS_MAX) this.#statements.clear()
      statement = this.#database.prepare(text)
      this.#statements.set(text, statement)
    }
    return statement
  }

  #transaction(body: () => void): void {
    try {
      this.#database.exec("BEGIN IMMEDIATE")
      body()
      this.#database.exec("COMMIT")
    } catch (cause) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK")
      // Tables and columns that were created inside are gone again.
      this.#tables.clear()
      throw isBusy(cause) ? new RetriableError(`the database is locked: ${(cause as Error).message}`, { cause }) : cause
    }
  }
}

function isBusy(cause: unknown): boolean {
  const code = (cause as { errcode?: number }).errcode ?? 0
  return (code & 0xff) === SQLITE_BUSY || (code & 0xff) === SQLITE_LOCKED
}
