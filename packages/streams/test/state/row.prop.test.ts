/** Rows as bytes: with and without headers. */
import fc from "fast-check"
import { expect, test } from "vitest"
import type { Headers } from "../../src/dsl/record.ts"
import { headersOf, readDouble, rowHead, rowOf, TIMESTAMP_BYTES, timestampAt } from "../../src/state/row.ts"

const value = fc.uint8Array({ maxLength: 20 })
const header = fc.record({ key: fc.string(), value: fc.option(fc.uint8Array({ maxLength: 300 })) })
const timestamp = fc.oneof(fc.integer({ min: -1 }), fc.maxSafeInteger(), fc.double({ noNaN: true, min: -1e300 }))

const plain = (headers: Headers) => headers.map(({ key, value }) => ({ key, value: value && Uint8Array.from(value) }))

test("S3: a row gives back its value, its timestamp and its headers", () => {
  fc.assert(
    fc.property(value, timestamp, fc.array(header, { maxLength: 5 }), (bytes, time, headers) => {
      const row = rowOf(bytes, time, headers)
      const at = timestampAt(row)
      expect(readDouble(row, at)).toBe(time)
      expect([...row.subarray(at + TIMESTAMP_BYTES)]).toEqual([...bytes])
      expect(plain(headersOf(row))).toEqual(headers)
    }),
  )
})

test("S3: a row without headers is what rows were before: a double and the value", () => {
  fc.assert(
    fc.property(value, timestamp, (bytes, time) => {
      const before = Buffer.alloc(8 + bytes.length)
      before.writeDoubleBE(time)
      before.set(bytes, 8)
      expect(Buffer.compare(rowOf(bytes, time), before)).toBe(0)
      expect([timestampAt(before), headersOf(before)]).toEqual([0, []])
    }),
  )
})

test("S3: headers are copies, which outlive the bytes of their row", () => {
  const row = rowOf(Uint8Array.of(1), 7, [{ key: "h", value: Uint8Array.of(1, 2, 3) }])
  const headers = headersOf(row)
  row.fill(0)
  expect(plain(headers)).toEqual([{ key: "h", value: Uint8Array.of(1, 2, 3) }])
  expect(rowHead(headers)[0]).toBe(0xff)
})
