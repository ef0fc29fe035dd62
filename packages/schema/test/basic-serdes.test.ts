import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { bytes, double, int32, int64, json, none, type Serde, SerdeError, string } from "../src/index.ts"

const hex = (value: Uint8Array) => Buffer.from(value).toString("hex")
/** The same bytes at an odd place in a larger buffer, as a record view has them. */
const asView = (value: Uint8Array): Uint8Array => {
  const around = new Uint8Array(value.length + 7).fill(0xee)
  around.set(value, 3)
  return around.subarray(3, 3 + value.length)
}

describe("bytes are Kafka's", () => {
  const cases: [string, Serde<any>, unknown, string][] = [
    ["string", string, "héllo", "68c3a96c6c6f"],
    ["empty string", string, "", ""],
    ["int32", int32, 258, "00000102"],
    ["negative int32", int32, -2, "fffffffe"],
    ["int64", int64, 2 ** 40 + 5, "0000010000000005"],
    ["negative int64", int64, -1, "ffffffffffffffff"],
    ["double", double, 1.5, "3ff8000000000000"],
    ["json", json(), { a: [1, null] }, hex(Buffer.from('{"a":[1,null]}'))],
  ]
  test.each(cases)("%s", (_, serde, value, expected) => {
    expect(hex(serde.encode(value))).toBe(expected)
    expect(serde.decode(asView(serde.encode(value)))).toEqual(value)
  })
})

describe("every value survives the round trip", () => {
  const cases: [string, Serde<any>, fc.Arbitrary<unknown>][] = [
    ["string", string, fc.string({ unit: "grapheme" })],
    ["bytes", bytes, fc.uint8Array()],
    ["int32", int32, fc.integer()],
    ["int64", int64, fc.maxSafeInteger()],
    ["double", double, fc.double()],
    // What JSON can say: -0 it writes as 0.
    ["json", json(), fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)))],
  ]
  test.each(cases)("%s", (_, serde, values) => {
    fc.assert(
      fc.property(values, (value) => {
        expect(serde.decode(asView(serde.encode(value)))).toEqual(value)
      }),
    )
  })
})

describe("what does not fit is refused with a reason", () => {
  const cases: [string, () => unknown, RegExp][] = [
    ["a number as string", () => string.encode(1 as never), /^string: expected a string, got 1$/],
    ["a fraction as int32", () => int32.encode(1.5), /^int32: expected an integer of 32 bits, got 1.5$/],
    ["2^31 as int32", () => int32.encode(2 ** 31), /got 2147483648$/],
    ["2^53 as int64", () => int64.encode(2 ** 53), /^int64: expected an integer within ±\(2\^53 - 1\)/],
    [
      "2^62 from int64",
      () => int64.decode(Buffer.from("4000000000000000", "hex")),
      /^int64: 4611686018427387904 is beyond/,
    ],
    ["3 bytes as int32", () => int32.decode(new Uint8Array(3)), /^int32: takes exactly 4 bytes, got 3$/],
    ["text as double", () => double.encode("1" as never), /^double: expected a number, got "1"$/],
    ["text as bytes", () => bytes.encode("1" as never), /^bytes: expected a Uint8Array/],
    ["a value as none", () => none.encode("x" as never), /^none: takes nothing but null/],
    ["undefined as json", () => json().encode(undefined), /^json: undefined has no JSON form$/],
    ["text that is not json", () => json().decode(Buffer.from("{")), /^json: not JSON: /],
  ]
  test.each(cases)("%s", (_, act, message) => {
    expect(act).toThrow(SerdeError)
    expect(act).toThrow(message)
  })
})
