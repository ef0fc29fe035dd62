/**
 * The SQL of the sink, as text. Pure. All names are quoted; values are always parameters.
 */
import type { Column } from "./row.ts"

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

export function createTable(table: string, columns: readonly Column[]): string {
  const lines = columns.map((column) => `${quoted(column.name)} ${column.type}${column.key ? " NOT NULL" : ""}`)
  const keys = columns.filter((column) => column.key).map((column) => quoted(column.name))
  if (keys.length > 0) lines.push(`PRIMARY KEY (${keys.join(", ")})`)
  return `CREATE TABLE IF NOT EXISTS ${quoted(table)} (${lines.join(", ")})`
}

export const addColumn = (table: string, column: Column): string =>
  `ALTER TABLE ${quoted(table)} ADD COLUMN ${quoted(column.name)} ${column.type}`

export function insert(table: string, columns: readonly Column[]): string {
  const names = columns.map((column) => quoted(column.name)).join(", ")
  return `INSERT INTO ${quoted(table)} (${names}) VALUES (${columns.map(() => "?").join(", ")})`
}

export function upsert(table: string, columns: readonly Column[]): string {
  const keys = columns.filter((column) => column.key).map((column) => quoted(column.name))
  const others = columns.filter((column) => !column.key).map((column) => quoted(column.name))
  const action =
    others.length === 0 ? "NOTHING" : `UPDATE SET ${others.map((name) => `${name} = excluded.${name}`).join(", ")}`
  return `${insert(table, columns)} ON CONFLICT (${keys.join(", ")}) DO ${action}`
}

export function deleteRow(table: string, columns: readonly Column[]): string {
  const match = columns.map((column) => `${quoted(column.name)} = ?`).join(" AND ")
  return `DELETE FROM ${quoted(table)} WHERE ${match}`
}

export const createOffsetsTable = (table: string): string =>
  `CREATE TABLE IF NOT EXISTS ${quoted(table)} (
    connector TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
    topic_id TEXT,
    PRIMARY KEY (connector, topic, partition)) WITHOUT ROWID`

export const selectOffset = (table: string): string =>
  `SELECT next_offset, topic_id FROM ${quoted(table)} WHERE connector = ? AND topic = ? AND partition = ?`

export const upsertOffset = (table: string): string =>
  `INSERT INTO ${quoted(table)} (connector, topic, partition, next_offset, topic_id) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (connector, topic, partition) DO UPDATE SET next_offset = excluded.next_offset, topic_id = excluded.topic_id`

export const nameTopicId = (table: string): string =>
  `UPDATE ${quoted(table)} SET topic_id = ? WHERE connector = ? AND topic = ? AND partition = ?`

export const deleteOffset = (table: string): string =>
  `DELETE FROM ${quoted(table)} WHERE connector = ? AND topic = ? AND partition = ?`
