import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { readLong, writeLong } from "../../src/avro/long.ts"

const bytesOf = (value: number): Uint8Array => {
  const tap = { buf: new Uint8Array(12), pos: 0 }
  writeLong(tap, value)
  return tap.buf.subarray(0, tap.pos)
}
/** The specification, with bigint. */
const bytesByBigint = (value: bigint): number[] => {
  let zigzag = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  while (zigzag >= 128n) {
    bytes.push(Number(zigzag & 127n) | 128)
    zigzag >>= 7n
  }
  return [...bytes, Number(zigzag)]
}

describe("longs are exact", () => {
  const edges = [0, -1, 1, 63, 64, -64, -65, 2 ** 27, 2 ** 28 - 1, -(2 ** 28), 2 ** 31, -(2 ** 52) - 1, 2 ** 53 - 1]
  test.each([...edges, 1 - 2 ** 53])("%d", (value) => {
    expect([...bytesOf(value)]).toEqual(bytesByBigint(BigInt(value)))
    expect(readLong({ buf: bytesOf(value), pos: 0 })).toBe(value)
  })
  test("any", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect([...bytesOf(value)]).toEqual(bytesByBigint(BigInt(value)))
        expect(readLong({ buf: bytesOf(value), pos: 0 })).toBe(value)
      }),
    )
  })
  test.each([2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)])("%s is refused", (value) => {
    expect(() => readLong({ buf: Uint8Array.from(bytesByBigint(value)), pos: 0 })).toThrow(/beyond ±\(2\^53 - 1\)/)
  })
})
