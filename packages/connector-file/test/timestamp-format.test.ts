import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { timestampFormat } from "../src/timestamp-format.ts"

const read = (format: string, value: unknown): number | undefined => {
  const result = timestampFormat(format)
  if ("wrong" in result) throw new Error(result.wrong)
  return result.read(value)
}

describe("timestamp formats", () => {
  const cases: [format: string, value: unknown, expected: string | number | undefined][] = [
    ["yyyy/MM/dd HH:mm", "2001/01/01 00:47", "2001-01-01T00:47:00Z"],
    ["yyyy/MM/dd HH:mm", "2001/01/01 24:00", undefined],
    ["yyyy/MM/dd HH:mm", "2001/1/1 00:47", undefined],
    ["yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2024-02-29T23:59:59.999+02:00", "2024-02-29T21:59:59.999Z"],
    ["yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2023-02-29T23:59:59.999+02:00", undefined],
    ["d.M.yyyy", "9.11.1989", "1989-11-09T00:00:00Z"],
    ["yyyy 'o''clock' HH", "1970 o'clock 01", 3_600_000],
    ["iso-8601", "2026-11-22", "2026-11-22T00:00:00Z"],
    ["iso-8601", "2026-11-22T21:20:00.5-0330", "2026-11-23T00:50:00.5Z"],
    ["iso-8601", "2026-13-22", undefined],
    ["iso-8601", 12, undefined],
    ["epoch-ms", 1_000_000_000_000, 1_000_000_000_000],
    ["epoch-ms", "12", 12],
    ["epoch-s", 1.5, 1500],
    ["epoch-s", "soon", undefined],
  ]
  it.each(cases)("%s of %j", (format, value, expected) => {
    expect(read(format, value)).toBe(typeof expected === "string" ? Date.parse(expected) : expected)
  })

  it.each(["yyyy-QQ", "MM", "yyyy yyyy"])("refuses the pattern %s", (format) => {
    expect(timestampFormat(format)).toHaveProperty("wrong")
  })

  it("agrees with Date on every day", () => {
    const days = fc.date({ min: new Date("1600-01-01"), max: new Date("2400-01-01"), noInvalidDate: true })
    fc.assert(fc.property(days, (date) => read("iso-8601", date.toISOString()) === date.getTime()))
  })
})
