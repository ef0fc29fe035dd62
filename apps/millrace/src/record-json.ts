/**
 * A record as a line of JSON, as `millrace consume --json` prints it and `millrace produce --json` reads it:
 *
 *     {"key":"a","value":"text","timestamp":1700000000000,"headers":{"trace":"1","tag":["x","y"]}}
 *
 * Bytes are text where they are UTF-8, and `{"base64":"…"}` otherwise: nothing is lost. A header that occurs again has a
 * list. Read, a key or value may also be any other JSON, which is written as such; a time may be an ISO date. Where a record
 * was (topic, partition, offset) is printed, and not read. Keys and values that have a schema are JSON in both directions:
 * see registered.ts. Values that are said to be JSON (`--json-values`) are JSON in both directions too, a text among them with its
 * quotes; bytes that are none are `{"base64":"…"}`. Numbers keep their digits, also those that JavaScript's do not hold.
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
  /** A value without an encoder is JSON, whatever it is. */
  readonly jsonValues?: boolean
}

export function jsonOfRecord(record: ConsumerRecord, decode: Decoder, decodeValue = decode): string {
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
    value: decodeValue(record.value) ?? textOf(record.value),
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
  // What is not encoded by a schema is written with the digits that it came with.
  const exact = hasLongNumbers(line) ? (parsed(line, withDigits) as typeof fields) : fields
  if (!isObject(fields) || !isObject(exact)) throw new LineFault('is no JSON object, such as {"key":"a","value":"b"}')
  const unknown = Object.keys(fields).find((name) => !FIELDS.includes(name))
  if (unknown !== undefined) throw new LineFault(`has a field "${unknown}"${suggest(unknown, FIELDS)}`)
  const { key = null, value, timestamp, headers = {} } = fields
  if (value === undefined) throw new LineFault("has no value; a tombstone has null")
  const time = timestamp === undefined ? undefined : timeOf(timestamp)
  if (time === null) throw new LineFault(`has no time: ${JSON.stringify(timestamp)}; ${TIME_HELP}`)
  return {
    key: bytesOf(encoders.key === undefined ? (exact["key"] ?? null) : key, encoders.key),
    value: encoders.jsonValues
      ? bytesOfJson(exact["value"])
      : bytesOf(encoders.value === undefined ? exact["value"] : value, encoders.value),
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

function parsed(line: Uint8Array, reviver?: Reviver): unknown {
  try {
    return JSON.parse(strict.decode(line), reviver)
  } catch (cause) {
    throw new LineFault(`is no JSON: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

type Reviver = (name: string, value: unknown, context?: { readonly source?: string }) => unknown

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

/** A number that would be written otherwise than it came is kept as its text. */
const withDigits: Reviver = (_, value, { source } = {}) =>
  typeof value === "number" && source !== undefined && source !== String(value) ? rawJSON(source) : value

/** It may have numbers whose digits JavaScript's do not keep. */
const hasLongNumbers = (line: Uint8Array): boolean => /\d{16}|\d[.eE]|-0/.test(Buffer.from(line).toString("latin1"))

/** Values as JSON, where their bytes are JSON that is read back as what it is. */
export const jsonValue: Decoder = (bytes) => {
  if (bytes === null) return undefined
  try {
    const value: unknown = JSON.parse(strict.decode(bytes), withDigits)
    if (value !== null && !isBase64(value)) return value
  } catch {
    // Told as bytes.
  }
  return base64Of(bytes)
}

const bytesOfJson = (given: unknown): Uint8Array | null =>
  given === null ? null : isBase64(given) ? Buffer.from(given.base64, "base64") : Buffer.from(JSON.stringify(given))

const isBase64 = (given: unknown): given is { readonly base64: string } =>
  isObject(given) && typeof given["base64"] === "string" && Object.keys(given).length === 1

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
  if (isBase64(given)) return Buffer.from(given.base64, "base64")
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
    return base64Of(bytes)
  }
}

const base64Of = (bytes: Uint8Array) => ({
  base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
})
