import { describe, expect, test } from "vitest"
import { crc64Avro } from "../../src/avro/fingerprint.ts"
import { parseAvro, parseAvroJson } from "../../src/avro/parse.ts"
import { normalized, parsingCanonicalForm, print } from "../../src/avro/print.ts"
import { SchemaParseError } from "../../src/errors.ts"

const record = (...fields: unknown[]) => ({ type: "record", name: "R", fields })

describe("what is not a schema is refused with its place", () => {
  const cases: [string, unknown, string][] = [
    ["a number", 5, "a schema is a name, an object or an array of branches, not 5, at $"],
    ["no type", {}, '"type" is missing, at $'],
    ["an unknown type", record({ name: "a", type: "strnig" }), 'the type "strnig" is not defined, at $.fields[0].type'],
    ["a record without a name", { type: "record", fields: [] }, 'a record needs a "name", at $'],
    ["a record without fields", { type: "record", name: "R" }, 'the record R needs an array "fields", at $'],
    [
      "a field twice",
      record({ name: "a", type: "int" }, { name: "a", type: "int" }),
      "has the field a twice, at $.fields[1]",
    ],
    ["a field without a type", record({ name: "a" }), 'the field a has no "type", at $.fields[0]'],
    ["a field's name", record({ name: "a-b", type: "int" }), '"a-b" is not a valid field name'],
    ["a name that starts with a digit", { type: "fixed", name: "1F", size: 1 }, '"1F" is not a valid fixed name'],
    ["a namespace", { type: "fixed", name: "a-b.F", size: 1 }, '"a-b" is not a valid namespace'],
    ["a primitive's name", { type: "fixed", name: "string", size: 1 }, "may not be called string"],
    [
      "an order",
      record({ name: "a", type: "int", order: "up" }),
      '"order" is ascending, descending or ignore, not "up"',
    ],
    [
      "a type twice",
      [
        { type: "fixed", name: "F", size: 1 },
        { type: "array", items: { type: "fixed", name: "F", size: 1 } },
      ],
      "the type F is defined twice, at $[1].items",
    ],
    ["a branch twice", ["int", "int"], 'the union has "int" twice, at $[1]'],
    ["a union in a union", ["int", ["string"]], "a union may not hold another union directly, at $[1]"],
    ["an enum without symbols", { type: "enum", name: "E" }, 'the enum E needs an array "symbols"'],
    ["a symbol", { type: "enum", name: "E", symbols: ["a b"] }, '"a b" is not a valid symbol, at $.symbols[0]'],
    ["a symbol twice", { type: "enum", name: "E", symbols: ["A", "A"] }, "the symbol A is there twice"],
    [
      "an enum's default",
      { type: "enum", name: "E", symbols: ["A"], default: "B" },
      'default "B" of the enum E is not among',
    ],
    ["a fixed's size", { type: "fixed", name: "F", size: "8" }, 'the fixed F needs a "size" of zero or more, not "8"'],
    ["an array without items", { type: "array" }, 'an array needs "items"'],
    ["a map without values", { type: "map" }, 'a map needs "values"'],
    [
      "a default",
      record({ name: "a", type: "int", default: "1" }),
      'the default "1" of the field a is not of its type',
    ],
    [
      "too deep",
      [...Array(300)].reduce((inner) => ({ type: "array", items: inner }), "int"),
      "nests more than 200 types",
    ],
  ]
  test.each(cases)("%s", (_, json, message) => {
    const parse = () => parseAvroJson(json, { validateDefaults: true })
    expect(parse).toThrow(SchemaParseError)
    expect(parse).toThrow(message)
  })
  test("text that is not JSON", () => {
    expect(() => parseAvro("{")).toThrow(/^the schema is not JSON: /)
  })
})

describe("defaults", () => {
  const cases: [unknown, unknown, boolean][] = [
    ["int", 2 ** 31, false],
    ["long", 2 ** 31, true],
    ["double", "NaN", true],
    ["bytes", "\u00ff", true],
    ["bytes", "\u0100", false],
    [["null", "int"], null, true],
    [["null", "int"], 5, true],
    [["null", "int"], "x", false],
    [{ type: "array", items: "int" }, [1, "x"], false],
    [{ type: "map", values: "int" }, { a: 1 }, true],
    [{ type: "fixed", name: "F", size: 2 }, "ab", true],
    [{ type: "fixed", name: "F", size: 2 }, "a", false],
    [{ type: "record", name: "S", fields: [{ name: "x", type: "int" }] }, {}, false],
    [{ type: "record", name: "S", fields: [{ name: "x", type: "int", default: 1 }] }, {}, true],
  ]
  test.each(cases)("%j = %j: %s", (type, value, valid) => {
    const parse = () => parseAvroJson(record({ name: "a", type, default: value }), { validateDefaults: true })
    if (valid) expect(parse).not.toThrow()
    else expect(parse).toThrow(SchemaParseError)
  })
})

describe("texts", () => {
  const cases: [string, string, string][] = [
    ["a primitive in its long form", '{"type": "string"}', '"string"'],
    ["a logical type", '{"logicalType":"date","type":"int"}', '{"type":"int","logicalType":"date"}'],
    [
      "attribute order, white space, defaults of attributes",
      '{ "fields": [{"default": 1, "order": "ascending", "type": {"type": "int"}, "name": "a"}], "name": "n.R", "type": "record" }',
      '{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":"int","default":1}]}',
    ],
    [
      "names relative to the namespace around",
      '{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":{"type":"fixed","name":"n.F","size":1}},{"name":"b","type":"n.F"},{"name":"c","type":{"type":"fixed","name":"m.F","size":1}},{"name":"d","type":"m.F"}]}',
      '{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":{"type":"fixed","name":"F","size":1}},{"name":"b","type":"F"},{"name":"c","type":{"type":"fixed","name":"F","namespace":"m","size":1}},{"name":"d","type":"m.F"}]}',
    ],
  ]
  test.each(cases)("%s", (_, text, expected) => {
    expect(print(parseAvro(text).type)).toBe(expected)
  })
  test("normalized: full names, sorted attributes", () => {
    const text = '{"type":"record","name":"R","namespace":"n","z":1,"b":2,"fields":[{"name":"a","type":"R"}]}'
    expect(normalized(parseAvro(text).type)).toBe(
      '{"type":"record","name":"n.R","fields":[{"name":"a","type":"n.R"}],"b":2,"z":1}',
    )
  })
  test("canonical: only what decides the bytes", () => {
    const text =
      '{"type":"record","name":"R","namespace":"n","doc":"d","aliases":["Q"],"fields":[{"name":"a","type":{"type":"long","logicalType":"timestamp-millis"},"default":0,"doc":"d"}]}'
    expect(parsingCanonicalForm(parseAvro(text).type)).toBe(
      '{"name":"n.R","type":"record","fields":[{"name":"a","type":"long"}]}',
    )
  })
  test("a type of a reference is printed by name", () => {
    const { names } = parseAvro('{"type":"fixed","name":"n.F","size":1}')
    const text = '{"type":"record","name":"R","fields":[{"name":"a","type":"n.F"}]}'
    expect(print(parseAvro(text, { references: names }).type, { references: names })).toBe(text)
  })
})

// Values that Avro's own test data gives for these canonical forms.
test.each([
  ['"null"', 7195948357588979594n],
  ['"int"', 8247732601305521295n],
  ['"string"', -8142146995180207161n],
  ['{"name":"foo","type":"fixed","size":15}', 1756455273707447556n],
])("the fingerprint of %s", (text, expected) => {
  expect(BigInt.asIntN(64, crc64Avro(Buffer.from(parsingCanonicalForm(parseAvro(text).type))))).toBe(expected)
})
