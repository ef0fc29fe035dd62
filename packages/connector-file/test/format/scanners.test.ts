/**
 * Every scanner finds the same records however the bytes are cut, and finds the rest of them from any record's end.
 */
import { parse as parseCsv } from "csv-parse/sync"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { CsvScanner } from "../../src/format/csv.ts"
import { JsonArrayScanner } from "../../src/format/json-array.ts"
import { JsonLinesScanner, LineScanner } from "../../src/format/lines.ts"
import { FormatError, type ScannedRecord, type Scanner, type ScannerOptions } from "../../src/format/scanner.ts"

type Create = (options: ScannerOptions) => Scanner

const FORMATS: Record<string, Create> = {
  lines: (options) => new LineScanner(options),
  "json-lines": (options) => new JsonLinesScanner(options),
  "json-array": (options) => new JsonArrayScanner(options),
  csv: (options) => new CsvScanner({ ...options, delimiter: "," }),
}

const LIMIT = 1000

/** All records of `bytes` from `position` on, the bytes pushed in chunks of the given sizes, round and round. */
function scan(
  create: Create,
  bytes: Uint8Array,
  sizes: readonly number[] = [bytes.length],
  position = 0,
): ScannedRecord[] {
  const scanner = create({ position, recordBytesMax: LIMIT })
  const found: ScannedRecord[] = []
  const take = (atEnd: boolean) => {
    for (let record = scanner.next(atEnd); record; record = scanner.next(atEnd)) found.push(record)
  }
  for (let at = position, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length]!)
    scanner.push(bytes.slice(at, at + size))
    at += size
    take(false)
  }
  take(true)
  return found
}

const utf8 = (text: string): Uint8Array => Buffer.from(text, "utf8")
const BOM = "\uFEFF"

describe("records found", () => {
  const cases: [name: string, format: string, text: string, values: unknown[]][] = [
    ["lines with and without the last line end", "lines", "a\nb", ["a", "b"]],
    ["empty lines are lines", "lines", "a\n\nb\n", ["a", "", "b"]],
    ["CR LF", "lines", "a\r\nb\r\n", ["a", "b"]],
    ["nothing", "lines", "", []],
    ["byte order mark", "lines", `${BOM}a\n`, ["a"]],
    ["JSON lines skip blanks", "json-lines", '{"a":1}\n\n  \n[2]\n3', [{ a: 1 }, [2], 3]],
    ["array of anything", "json-array", ' [ {"a":"]"} , 2 ,"\\",", [[]], null ]\n ', [{ a: "]" }, 2, '",', [[]], null]],
    ["empty array", "json-array", "[]", []],
    ["array behind a byte order mark", "json-array", `${BOM}[1]`, [1]],
    ["escaped backslash ends a string", "json-array", '["\\\\", 1]', ["\\", 1]],
    [
      "quoted cells",
      "csv",
      'a,"b,""c""\nd"\r\n,e\r\n',
      [
        ["a", 'b,"c"\nd'],
        ["", "e"],
      ],
    ],
    [
      "last row without line end",
      "csv",
      'a,b\nc,"d"',
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ["blank lines are no rows", "csv", "a\n\n\nb\n", [["a"], ["b"]]],
    ["trailing delimiter is an empty cell", "csv", "a,\n", [["a", ""]]],
    ["empty quoted cell", "csv", '"",x\n', [["", "x"]]],
    ["table behind a byte order mark", "csv", `${BOM}a,b\n`, [["a", "b"]]],
  ]
  it.each(cases)("%s", (_name, format, text, values) => {
    const bytes = utf8(text)
    for (const sizes of [[bytes.length], [1], [2, 3]]) {
      expect(scan(FORMATS[format]!, bytes, sizes).map((record) => record.value)).toEqual(values)
    }
  })
})

describe("refusals say what and where", () => {
  const long = "x".repeat(LIMIT + 1)
  const cases: [name: string, format: string, text: string, message: RegExp][] = [
    ["a line that is no JSON", "json-lines", '1\n{"a"\n', /not JSON.*at byte 2$/],
    ["no array", "json-array", '{"a":1}', /expected \[, found \{, at byte 0/],
    ["no comma", "json-array", "[[1] [2]]", /not JSON/],
    ["text after the array", "json-array", "[1] 2", /nothing after the array, found 2, at byte 4/],
    ["file ends in an element", "json-array", '[1, {"a":', /ends inside an element/],
    ["file ends after a comma", "json-array", "[1,", /ends inside an element/],
    ["file ends before the bracket", "json-array", "[1", /ends inside an element/],
    ["nothing at all", "json-array", "", /ends inside the array/],
    ["a comma too many", "json-array", "[1,]", /not JSON/],
    ["an open quoted cell", "csv", 'a,"b\n', /ends inside a quoted cell/],
    ["a quote in a bare cell", "csv", 'a,b"c"\n', /quote inside a cell.*at byte 3/],
    ["text after a closing quote", "csv", '"a"b\n', /after the closing quote.*at byte 3/],
    ["too long a line", "lines", long, /longer than 1000 bytes/],
    ["too long an element", "json-array", `["${long}"]`, /longer than 1000 bytes/],
    ["too long a row", "csv", `"${long}"`, /longer than 1000 bytes/],
  ]
  it.each(cases)("%s", (_name, format, text, message) => {
    for (const sizes of [[text.length || 1], [1]]) {
      expect(() => scan(FORMATS[format]!, utf8(text), sizes)).toThrow(FormatError)
      expect(() => scan(FORMATS[format]!, utf8(text), sizes)).toThrow(message)
    }
  })
})

describe("chunks and resumption", () => {
  const chunkSizes = fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1, maxLength: 5 })
  const cell = fc.string({ unit: fc.constantFrom("a", "ß", "😀", ",", '"', "\n", "\r\n", " "), maxLength: 6 })
  const jsonText = fc.json({ maxDepth: 2 }).map((text) => ({ text, value: JSON.parse(text) as unknown }))
  const blank = fc.constantFrom("", " ", "\n", "\t ")

  const files: Record<string, fc.Arbitrary<{ bytes: Uint8Array; values: unknown[] }>> = {
    lines: fc.array(fc.string({ unit: fc.constantFrom("a", "é", "\r", " "), maxLength: 5 })).map((lines) => ({
      bytes: utf8(lines.map((line) => `${line}\n`).join("")),
      values: lines.map((line) => line.replace(/\r$/, "")),
    })),
    "json-lines": fc.array(jsonText).map((items) => ({
      bytes: utf8(items.map((item) => `${item.text}\n`).join("")),
      values: items.map((item) => item.value),
    })),
    "json-array": fc.tuple(fc.array(jsonText), blank, blank).map(([items, before, after]) => ({
      bytes: utf8(`${before}[${items.map((item) => `${after}${item.text}${before}`).join(",")}]${after}`),
      values: items.map((item) => item.value),
    })),
    csv: fc.array(fc.array(cell, { minLength: 2, maxLength: 4 })).map((rows) => ({
      bytes: utf8(rows.map((row) => `${row.map((text) => `"${text.replaceAll('"', '""')}"`).join(",")}\n`).join("")),
      values: rows,
    })),
  }

  it.each(Object.keys(files))("%s", (format) => {
    const create = FORMATS[format]!
    fc.assert(
      fc.property(files[format]!, chunkSizes, fc.nat(), ({ bytes, values }, sizes, pick) => {
        const records = scan(create, bytes, sizes)
        expect(records.map((record) => record.value)).toEqual(values)
        if (records.length === 0) return
        const index = pick % records.length
        const rest = scan(create, bytes, sizes, records[index]!.end)
        expect(rest).toEqual(records.slice(index + 1))
      }),
    )
  })

  it("csv agrees with csv-parse", () => {
    const bare = fc.string({ unit: fc.constantFrom("a", "1", "ü", " ", "."), minLength: 1, maxLength: 5 })
    const written = fc.oneof(
      bare,
      cell.map((text) => `"${text.replaceAll('"', '""')}"`),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(written, written, written)), chunkSizes, fc.boolean(), (rows, sizes, ended) => {
        const text = rows.map((row) => row.join(",")).join("\r\n") + (ended ? "\r\n" : "")
        const expected = parseCsv(text, { record_delimiter: "\r\n", skip_empty_lines: true }) as string[][]
        expect(scan(FORMATS["csv"]!, utf8(text), sizes).map((record) => record.value)).toEqual(expected)
      }),
    )
  })
})
