/**
 * A record as a line of JSON, as `millrace consume --json` prints it and `millrace produce --json` reads it:
 *
 *     {"key":"a","value":"text","timestamp":1700000000000,"headers":{"trace":"1","tag":["x","y"]}}
 *
 * Bytes are text where they are UTF-8, and `{"base64":"…"}` otherwise: nothing is lost. A header that occurs again has a
 * list. Read, a key or value may also be any other JSON, which is written as such; a time may be an ISO date. Where a record
 * was (topic, partition, offset) is printed, and not read. Keys and values that have a schema are JSON in both directions:
 * see registered.ts.
 */
import type { ConsumerRecord, ProducerRecord } from "@millrace/client"
import { suggest } from "./command.ts"

type Header = NonNullable<ProducerRecord["headers"]>[number]

type JsonBytes = string | { readonly base64: string } | null

/** What bytes say by their schema, as JSON has it; undefined where they have none. */
export type Decoder = (bytes: Uint8Array | null) => unknown

/** Writes by a schema what JSON says; throws what is wrong with it. */
export type Encoder = (value: unknown) => Uint8Array

export interface Encoders {
  readonly key?: Encoder | undefined
  readonly value?: Encoder | undefined
}

export function jsonOfRecord(record: ConsumerRecord, decode: Decoder): string {
  const { topic, partition, offset, timestamp } = record
  const headers: Record<string, JsonBytes | JsonBytes[]> = Object.create(null)
  for (const { key, value } of record.headers) {
    const before = headers[key]
    const text = textOf(value)
    if (before === undefined) headers[key] = text
    else if (Array.isArray(before)) before.push(text)
    else headers[key] = [before, text]
  }
  return JSON.stringify({
    topic,
    partition,
    offset,
    timestamp,
    key: decode(record.key) ?? textOf(record.key),
    value: decode(record.value) ?? textOf(record.value),
    headers,
  })
}

export interface GivenRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestamp?: number
  readonly headers: readonly Header[]
}

/** What a line says is wrong: without the line's number, which the caller knows. */
export class LineFault extends Error {
  override readonly name = "LineFault"
}

export function recordOfJson(line: Uint8Array, encoders: Encoders = {}): GivenRecord {
  const fields = parsed(line)
  if (!isObject(fields)) throw new LineFault('is no JSON object, such as {"key":"a","value":"b"}')
  const unknown = Object.keys(fields).find((name) => !FIELDS.includes(name))
  if (unknown !== undefined) throw new LineFault(`has a field "${unknown}"${suggest(unknown, FIELDS)}`)
  const { key = null, value, timestamp, headers = {} } = fields
  if (value === undefined) throw new LineFault("has no value; a tombstone has null")
  const time = timestamp === undefined ? undefined : timeOf(timestamp)
  if (time === null) throw new LineFault(`has no time: ${JSON.stringify(timestamp)}; ${TIME_HELP}`)
  return {
    key: bytesOf(key, encoders.key),
    value: bytesOf(value, encoders.value),
    headers: headersOf(headers),
    ...(time !== undefined && { timestamp: time }),
  }
}

export const TIME_HELP = "expected milliseconds since 1970, or a date such as 2026-01-31T12:00:00Z"

/** Milliseconds since 1970 of a number or a date; null for what is neither. */
export function timeOf(given: unknown): number | null {
  const time = typeof given !== "string" ? given : /^\d{1,15}$/.test(given) ? Number(given) : dateOf(given)
  return Number.isSafeInteger(time) && (time as number) >= 0 ? (time as number) : null
}

/** `Date.parse` reads almost anything; a date that means something begins with a year. */
const dateOf = (text: string): number => (/^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN)

const FIELDS = ["key", "value", "timestamp", "headers", "topic", "partition", "offset"]

/** A line that is a value, not a record. */
export const valueOfJson = (line: Uint8Array, encode: Encoder): Uint8Array => encoded(parsed(line), encode)

function parsed(line: Uint8Array): unknown {
  try {
    return JSON.parse(strict.decode(line))
  } catch (cause) {
    throw new LineFault(`is no JSON: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

function headersOf(given: unknown): Header[] {
  if (!isObject(given)) throw new LineFault('has headers that are no object, such as {"name":"value"}')
  return Object.entries(given).flatMap(([key, values]) =>
    (Array.isArray(values) ? values : [values]).map((value) => ({ key, value: bytesOf(value) })),
  )
}

function bytesOf(given: unknown, encode?: Encoder): Uint8Array | null {
  if (given === null) return null
  if (encode !== undefined) return encoded(given, encode)
  if (typeof given === "string") return Buffer.from(given)
  if (isObject(given) && typeof given["base64"] === "string" && Object.keys(given).length === 1)
    return Buffer.from(given["base64"], "base64")
  return Buffer.from(JSON.stringify(given))
}

function encoded(value: unknown, encode: Encoder): Uint8Array {
  try {
    return encode(value)
  } catch (cause) {
    throw new LineFault(`does not fit the schema: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array | null): JsonBytes {
  if (bytes === null) return null
  try {
    return strict.decode(bytes)
  } catch {
    return { base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64") }
  }
}
