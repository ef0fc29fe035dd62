/**
 * Rows and offsets in one file: upserts, deletes, created and widened tables, nothing applied twice.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { ConnectSchema, SinkRecord } from "@millrace/connect/sdk"
import { parse } from "@millrace/config"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { SinkDatabase } from "../src/database.ts"
import { databasePath, sqliteSinkConfig } from "../src/sqlite-config.ts"

let directory: string
let file: string
let opened: SinkDatabase[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sqlite-sink-"))
  file = join(directory, "out.db")
  opened = []
})
afterEach(() => {
  for (const database of opened) database.close()
  rmSync(directory, { recursive: true })
})

function open(settings: Record<string, string> = {}, onBad?: (record: SinkRecord, error: Error) => void): SinkDatabase {
  const all = { "connection.url": `sqlite:${file}`, "auto.create": "true", "busy.timeout.ms": "0", ...settings }
  const refuse = (_record: SinkRecord, error: Error) => {
    throw error
  }
  const database = new SinkDatabase(parse(sqliteSinkConfig, all), "c", onBad ?? refuse)
  opened.push(database)
  return database
}

const UPSERT = { "insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id" }

function record(offset: number, value: unknown, more: Partial<SinkRecord> = {}): SinkRecord {
  const place = { topic: "t", partition: 0, offset, timestamp: 0 }
  return { ...place, key: null, keySchema: undefined, value, valueSchema: undefined, headers: [], ...more }
}

function query(sql: string): unknown[] {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }))
  } finally {
    database.close()
  }
}

describe("rows", () => {
  const schema: ConnectSchema = {
    type: "struct",
    name: "R",
    fields: [
      { name: "id", schema: { type: "string" } },
      { name: "n", schema: { type: "int64" } },
      { name: "x", schema: { type: "float64", optional: true } },
      { name: "yes", schema: { type: "boolean" } },
      { name: "raw", schema: { type: "bytes" } },
      { name: "list", schema: { type: "array", items: { type: "int32" } } },
    ],
  }
  const value = { id: "a", n: 2 ** 52, x: null, yes: true, raw: Uint8Array.of(1, 2), list: [1, 2] }

  it("creates the table by the schema and stores every type", () => {
    open(UPSERT).write([record(0, value, { valueSchema: schema })])
    expect(query("select name, type, pk from pragma_table_info('t')")).toEqual([
      { name: "id", type: "TEXT", pk: 1 },
      { name: "n", type: "INTEGER", pk: 0 },
      { name: "x", type: "REAL", pk: 0 },
      { name: "yes", type: "INTEGER", pk: 0 },
      { name: "raw", type: "BLOB", pk: 0 },
      { name: "list", type: "TEXT", pk: 0 },
    ])
    expect(query("select * from t")).toEqual([{ ...value, yes: 1, list: "[1,2]" }])
    expect(query("select typeof(n) as type from t")).toEqual([{ type: "integer" }])
  })

  it("replaces the row with the same primary key", () => {
    open(UPSERT).write([record(0, { id: 1, v: "a" }), record(1, { id: 2, v: "b" }), record(2, { id: 1, v: "c" })])
    expect(query("select * from t order by id")).toEqual([
      { id: 1, v: "c" },
      { id: 2, v: "b" },
    ])
  })

  it("upserts rows that are nothing but a key", () => {
    open(UPSERT).write([record(0, { id: 1 }), record(1, { id: 1 })])
    expect(query("select * from t")).toEqual([{ id: 1 }])
  })

  it("widens a table only when told to", () => {
    open(UPSERT).write([record(0, { id: 1 })])
    expect(() => open(UPSERT).write([record(1, { id: 2, w: 1 })])).toThrow(/no column w.*auto\.evolve/)
    open({ ...UPSERT, "auto.evolve": "true" }).write([record(1, { id: 2, w: 1 })])
    expect(query("select * from t order by id")).toEqual([
      { id: 1, w: null },
      { id: 2, w: 1 },
    ])
  })

  it("creates a table only when told to", () => {
    expect(() => open({ "auto.create": "false" }).write([record(0, { id: 1 })])).toThrow(/no table t.*auto\.create/)
  })

  it("takes keys of every mode", () => {
    open({ "table.name.format": "kafka_${topic}", "pk.mode": "kafka" }).write([record(7, { v: 1 })])
    expect(query("select * from kafka_t")).toEqual([
      { __connect_topic: "t", __connect_partition: 0, __connect_offset: 7, v: 1 },
    ])
    const byKey = { "table.name.format": "k", "pk.mode": "record_key", "pk.fields": "id", "insert.mode": "upsert" }
    open(byKey).write([record(8, { v: 1 }, { key: "a" }), record(9, { v: 2 }, { key: { id: "b", other: 1 } })])
    expect(query("select * from k order by id")).toEqual([
      { id: "a", v: 1 },
      { id: "b", v: 2 },
    ])
  })

  it("deletes the row of a tombstone", () => {
    const settings = { "pk.mode": "record_key", "pk.fields": "id", "insert.mode": "upsert", "delete.enabled": "true" }
    const database = open(settings)
    database.write([record(0, { v: 1 }, { key: "a" }), record(1, { v: 2 }, { key: "b" })])
    database.write([record(2, null, { key: "a" }), record(3, null, { key: "never there" })])
    expect(query("select id from t")).toEqual([{ id: "b" }])
  })

  it("quotes names", () => {
    const odd = 'flight-delays "x"'
    open({ "table.name.format": odd }).write([record(0, { 'or"der': 1, "": 2 })])
    expect(query(`select * from "flight-delays ""x"""`)).toEqual([{ 'or"der': 1, "": 2 }])
  })
})

describe("records that make no row", () => {
  const cases: [name: string, settings: Record<string, string>, record: SinkRecord, message: RegExp][] = [
    ["a tombstone", UPSERT, record(3, null), /t-0 offset 3: a record without value needs delete\.enabled/],
    ["a value that is no object", {}, record(0, 7), /needs a record whose value is an object/],
    ["a missing key field", UPSERT, record(0, { v: 1 }), /pk\.fields names id, which the record's value lacks/],
    ["a null key field", UPSERT, record(0, { id: null }), /primary key column id is null/],
    ["no key", { "pk.mode": "record_key" }, record(0, { v: 1 }), /needs records with a key/],
    ["a primitive key without a column", { "pk.mode": "record_key" }, record(0, {}, { key: 1 }), /pk\.fields/],
  ]
  it.each(cases)("%s", (_name, settings, bad, message) => {
    expect(() => open(settings).write([bad])).toThrow(message)
    const seen: string[] = []
    open(settings, (_record, error) => seen.push(error.message)).write([
      bad,
      record(10, { id: 1, v: 1 }, { key: { k: 1 } }),
    ])
    expect(seen.join()).toMatch(message)
    expect(query("select count(*) as count from t")).toEqual([{ count: 1 }])
  })
})

describe("offsets", () => {
  const place = { topic: "t", partition: 0 }

  it("are stored with the rows, and survive", () => {
    open(UPSERT).write([record(0, { id: 1 }), record(5, { id: 2 })])
    expect(open().nextOffset(place)).toBe(6)
    expect(open().nextOffset({ topic: "t", partition: 1 })).toBeUndefined()
  })

  it("keep records from being applied twice, by another task too", () => {
    const settings = { "table.name.format": "rows" }
    const [old, next] = [open(settings), open(settings)]
    old.write([record(0, { v: 0 }), record(1, { v: 1 })])
    next.write([record(1, { v: 1 }), record(2, { v: 2 })])
    old.write([record(2, { v: 2 }), record(3, { v: 3 })])
    expect(query("select v from rows order by v")).toEqual([{ v: 0 }, { v: 1 }, { v: 2 }, { v: 3 }])
  })

  it("do not move when a batch fails, nor do its rows or its table stay", () => {
    const database = open()
    expect(() => database.write([record(0, { v: 1 }), record(1, 7)])).toThrow()
    expect(database.nextOffset(place)).toBeUndefined()
    expect(query("select name from sqlite_master where name = 't'")).toEqual([])
    database.write([record(0, { v: 1 })])
    expect(query("select * from t")).toEqual([{ v: 1 }])
  })

  it("advance past records without rows, never back", () => {
    const database = open()
    database.advance([{ ...place, offset: 9 }])
    database.advance([{ ...place, offset: 4 }])
    expect(database.nextOffset(place)).toBe(9)
  })

  it("are forgotten when the topic of that name is another one", () => {
    const old = open()
    expect(old.adopt({ ...place, topicId: "A" })).toBeUndefined()
    old.write([record(0, { v: 0 }), record(1, { v: 1 })])
    expect(open().adopt({ ...place, topicId: "A" })).toBe(2)
    const renewed = open()
    expect(renewed.adopt({ ...place, topicId: "B" })).toBeUndefined()
    renewed.write([record(0, { v: 2 })])
    expect(query("select v from t order by v")).toEqual([{ v: 0 }, { v: 1 }, { v: 2 }])
    expect(open().adopt({ ...place, topicId: "B" })).toBe(1)
  })

  it("set by a person belong to the topic that is there next", () => {
    open().alter([{ ...place, offset: 4 }])
    expect(open().adopt({ ...place, topicId: "A" })).toBe(4)
    expect(open().adopt({ ...place, topicId: "B" })).toBeUndefined()
  })

  it("can be set and forgotten", () => {
    const database = open()
    database.alter([{ ...place, offset: 4 }])
    expect(database.nextOffset(place)).toBe(4)
    database.alter([{ ...place, offset: null }])
    expect(database.nextOffset(place)).toBeUndefined()
  })
})

it("says that the write may be tried again when another process holds the lock", () => {
  const database = open()
  const other = new DatabaseSync(file)
  other.exec("BEGIN IMMEDIATE")
  expect(() => database.write([record(0, { v: 1 })])).toThrow(expect.objectContaining({ name: "RetriableError" }))
  other.exec("ROLLBACK")
  other.close()
  database.write([record(0, { v: 1 })])
  expect(query("select * from t")).toEqual([{ v: 1 }])
})

it("names a file that cannot be opened", () => {
  expect(() => open({ "connection.url": `sqlite:${directory}/no/such.db` })).toThrow(
    /connection\.url: cannot open.*such\.db/,
  )
})

it.each([
  ["sqlite:a.db", "a.db"],
  ["jdbc:sqlite:/tmp/a.db", "/tmp/a.db"],
  ["sqlite:///tmp/a.db", "/tmp/a.db"],
  ["/tmp/a.db", "/tmp/a.db"],
])("%s is the file %s", (url, path) => expect(databasePath(url)).toBe(path))
