import { describe, expect, test } from "vitest"
import { avroIncompatibilities } from "../../src/avro/compatibility.ts"
import { parseAvroJson } from "../../src/avro/parse.ts"

const record = (fields: object[], more: object = {}) => ({ type: "record", name: "R", fields, ...more })
const field = (name: string, type: unknown, more: object = {}) => ({ name, type, ...more })
const enumOf = (symbols: string[], more: object = {}) => ({ type: "enum", name: "E", symbols, ...more })
const fixed = (size: number, name = "F") => ({ type: "fixed", name, size })
const array = (items: unknown) => ({ type: "array", items })
const map = (values: unknown) => ({ type: "map", values })
const A = field("a", "string")

/** Reader, writer, and what is wrong, as type and path; nothing when the reader reads the writer. */
const cases: [string, unknown, unknown, string[]][] = [
  // Primitives
  ["the same primitive", "string", "string", []],
  ["int as long", "long", "int", []],
  ["int as float", "float", "int", []],
  ["int as double", "double", "int", []],
  ["long as float", "float", "long", []],
  ["long as double", "double", "long", []],
  ["float as double", "double", "float", []],
  ["string as bytes", "bytes", "string", []],
  ["bytes as string", "string", "bytes", []],
  ["long as int", "int", "long", ["TYPE_MISMATCH /"]],
  ["double as float", "float", "double", ["TYPE_MISMATCH /"]],
  ["float as long", "long", "float", ["TYPE_MISMATCH /"]],
  ["int as string", "string", "int", ["TYPE_MISMATCH /"]],
  ["boolean as int", "int", "boolean", ["TYPE_MISMATCH /"]],
  ["null as string", "string", "null", ["TYPE_MISMATCH /"]],
  ["a logical type is not compared", { type: "int", logicalType: "date" }, "int", []],
  [
    "a decimal's scale is not compared",
    { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 },
    { type: "bytes", logicalType: "decimal", precision: 9, scale: 4 },
    [],
  ],
  // Arrays and maps
  ["an array's items widen", array("long"), array("int"), []],
  ["an array's items narrow", array("int"), array("long"), ["TYPE_MISMATCH /items"]],
  ["a map's values narrow", map("int"), map("long"), ["TYPE_MISMATCH /values"]],
  ["an array as a map", map("int"), array("int"), ["TYPE_MISMATCH /"]],
  // Fixed
  ["a fixed of the same size", fixed(4), fixed(4), []],
  ["a fixed of another size", fixed(8), fixed(4), ["FIXED_SIZE_MISMATCH /size"]],
  ["a fixed of another name", fixed(4, "G"), fixed(4), ["NAME_MISMATCH /name"]],
  ["a fixed of another namespace", { ...fixed(4), namespace: "x" }, fixed(4), []],
  // Enums
  ["an enum gains symbols", enumOf(["A", "B"]), enumOf(["A"]), []],
  ["an enum loses symbols", enumOf(["A"]), enumOf(["A", "B", "C"]), ["MISSING_ENUM_SYMBOLS /symbols"]],
  ["an enum loses symbols and has a default", enumOf(["A"], { default: "A" }), enumOf(["A", "B"]), []],
  ["an enum's name changes", { ...enumOf(["A"]), name: "G" }, enumOf(["A"]), ["NAME_MISMATCH /name"]],
  ["an enum's alias is the old name", { ...enumOf(["A"]), name: "G", aliases: ["E"] }, enumOf(["A"]), []],
  // Records
  ["a field with a default is added", record([A, field("b", "int", { default: 0 })]), record([A]), []],
  [
    "a field whose default is null is added",
    record([A, field("b", ["null", "int"], { default: null })]),
    record([A]),
    [],
  ],
  ["a field is dropped", record([]), record([A]), []],
  ["fields are reordered", record([field("b", "int"), A]), record([A, field("b", "int")]), []],
  [
    "a field without a default is added",
    record([A, field("b", "int")]),
    record([A]),
    ["READER_FIELD_MISSING_DEFAULT_VALUE /fields/1"],
  ],
  [
    "two fields without defaults are added: both are told",
    record([A, field("b", "int"), field("c", "int")]),
    record([A]),
    ["READER_FIELD_MISSING_DEFAULT_VALUE /fields/1", "READER_FIELD_MISSING_DEFAULT_VALUE /fields/2"],
  ],
  ["a field is renamed", record([field("z", "string")]), record([A]), ["READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"]],
  ["a field is renamed with an alias", record([field("z", "string", { aliases: ["a"] })]), record([A]), []],
  ["a field's type changes", record([field("a", "int")]), record([A]), ["TYPE_MISMATCH /fields/0/type"]],
  ["a record's name changes", record([A], { name: "S" }), record([A]), ["NAME_MISMATCH /name"]],
  ["a record's namespace changes", record([A], { namespace: "x.y" }), record([A]), []],
  ["an alias is the old full name", record([A], { name: "S", aliases: ["n.R"] }), record([A], { namespace: "n" }), []],
  [
    "an alias misses the namespace",
    record([A], { name: "S", aliases: ["R"] }),
    record([A], { namespace: "n" }),
    ["NAME_MISMATCH /name"],
  ],
  [
    "a nested record's field",
    record([field("in", { type: "record", name: "I", fields: [field("x", "int")] })]),
    record([field("in", { type: "record", name: "I", fields: [field("x", "long")] })]),
    ["TYPE_MISMATCH /fields/0/type/fields/0/type"],
  ],
  ["a recursive record", record([field("next", ["null", "R"])]), record([field("next", ["null", "R"])]), []],
  [
    "a recursive record that narrows",
    record([field("v", "int"), field("next", ["null", "R"])]),
    record([field("v", "long"), field("next", ["null", "R"])]),
    ["TYPE_MISMATCH /fields/0/type"],
  ],
  // Unions
  ["a type becomes a union with it", ["null", "string"], "string", []],
  ["a union widens", ["null", "string", "int"], ["null", "string"], []],
  ["a union's branches are reordered", ["string", "null"], ["null", "string"], []],
  ["a union narrows", ["null", "string"], ["null", "string", "int"], ["MISSING_UNION_BRANCH /2"]],
  [
    "a union loses two branches",
    ["null"],
    ["null", "string", "int"],
    ["MISSING_UNION_BRANCH /1", "MISSING_UNION_BRANCH /2"],
  ],
  ["a union becomes one of its types", "string", ["null", "string"], ["TYPE_MISMATCH /0"]],
  ["a union of one becomes that type", "string", ["string"], []],
  ["a union of types that all widen", "double", ["int", "float"], []],
  ["a union without the type", ["null", "int"], "string", ["MISSING_UNION_BRANCH /"]],
  ["a union whose branch widens", ["null", "long"], ["null", "int"], []],
  [
    "a union's record that lacks a default",
    ["null", record([A, field("b", "int")])],
    ["null", record([A])],
    ["MISSING_UNION_BRANCH /1"],
  ],
  [
    "in a field",
    record([field("u", ["null", "string"])]),
    record([field("u", ["null", "long"])]),
    ["MISSING_UNION_BRANCH /fields/0/type/1"],
  ],
]

describe("a reader's schema against a writer's", () => {
  test.each(cases)("%s", (_, reader, writer, expected) => {
    const found = avroIncompatibilities(parseAvroJson(reader).type, parseAvroJson(writer).type)
    expect(found.map(({ type, path }) => `${type} ${path}`)).toEqual(expected)
    for (const { description } of found) expect(description.length).toBeGreaterThan(20)
  })
})
