import { describe, expect, test } from "vitest"
import { jsonIncompatibilities } from "../../src/json-schema/compatibility.ts"

const object = (properties: object, more: object = {}) => ({ type: "object", properties, ...more })
const closed = (properties: object, more: object = {}) => object(properties, { additionalProperties: false, ...more })
const string = { type: "string" }
const number = { type: "number" }
const integer = { type: "integer" }

/** Reader (the new schema, when compatibility is backward), writer, and what is wrong. */
const cases: [string, unknown, unknown, string[]][] = [
  ["the same", object({ a: string }), object({ a: string }), []],
  ["titles and descriptions", { ...string, title: "x", description: "y", $id: "z" }, string, []],
  ["anything reads all", true, string, []],
  ["nothing was written", string, false, []],
  ["something reads anything", string, {}, ["TYPE_CHANGED #"]],
  // Types
  ["another type", string, number, ["TYPE_CHANGED #"]],
  ["integer becomes number", number, integer, []],
  ["number becomes integer", integer, number, ["TYPE_NARROWED #"]],
  ["a type becomes one of two", { type: ["string", "null"] }, string, []],
  ["one of two types remains", string, { type: ["string", "null"] }, ["TYPE_NARROWED #"]],
  // Content models
  ["a property goes, the reader is open", object({}), object({ a: string }), []],
  [
    "a property goes, the reader is closed",
    closed({}),
    closed({ a: string }),
    ["PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/a"],
  ],
  ["a property goes that was never there", closed({}), closed({ a: false }), []],
  ["a property goes, a schema covers it", object({}, { additionalProperties: string }), closed({ a: string }), []],
  [
    "a property goes, a schema covers it badly",
    object({}, { additionalProperties: number }),
    closed({ a: string }),
    ["PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/a"],
  ],
  [
    "a property goes, a pattern covers it",
    closed({}, { patternProperties: { "^a": string } }),
    closed({ ab: string }),
    [],
  ],
  ["a property comes, the writer is closed", closed({ a: string }), closed({}), []],
  [
    "a property comes, the writer is open",
    object({ a: string }),
    object({}),
    ["PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/a"],
  ],
  ["a property that takes anything comes, the writer is open", object({ a: {} }), object({}), []],
  ["a property comes, a schema covered it", object({ a: string }), object({}, { additionalProperties: string }), []],
  [
    "a property comes, a schema covered more",
    object({ a: integer }),
    object({}, { additionalProperties: number }),
    ["PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/a"],
  ],
  [
    "a required property comes, the writer is closed",
    closed({ a: string }, { required: ["a"] }),
    closed({}),
    ["REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/a"],
  ],
  [
    "a required property with a default comes",
    closed({ a: { ...string, default: "" } }, { required: ["a"] }),
    closed({}),
    [],
  ],
  // Required
  [
    "a property is required now",
    object({ a: string }, { required: ["a"] }),
    object({ a: string }),
    ["REQUIRED_ATTRIBUTE_ADDED #/required"],
  ],
  [
    "a property with a default is required now",
    object({ a: { ...string, default: "" } }, { required: ["a"] }),
    object({ a: string }),
    [],
  ],
  ["a property is required no more", object({ a: string }), object({ a: string }, { required: ["a"] }), []],
  // Others
  ["the model opens", object({}), closed({}), []],
  ["the model closes", closed({}), object({}), ["ADDITIONAL_PROPERTIES_REMOVED #/additionalProperties"]],
  [
    "the model narrows",
    object({}, { additionalProperties: string }),
    object({}),
    ["ADDITIONAL_PROPERTIES_NARROWED #/additionalProperties"],
  ],
  ["a property changes", object({ a: string }), object({ a: number }), ["TYPE_CHANGED #/properties/a"]],
  [
    "fewer properties allowed",
    object({}, { maxProperties: 2 }),
    object({}, { maxProperties: 3 }),
    ["MAX_PROPERTIES_DECREASED #/maxProperties"],
  ],
  ["a dependency comes", object({}, { dependencies: { a: ["b"] } }), object({}), ["DEPENDENCY_ADDED #/dependencies/a"]],
  ["a dependency goes", object({}), object({}, { dependencies: { a: ["b"] } }), []],
  [
    "a dependency grows",
    object({}, { dependencies: { a: ["b", "c"] } }),
    object({}, { dependencies: { a: ["b"] } }),
    ["DEPENDENCY_ARRAY_EXTENDED #/dependencies/a"],
  ],
  // Strings and numbers
  ["a longest length comes", { ...string, maxLength: 5 }, string, ["MAX_LENGTH_ADDED #/maxLength"]],
  ["a longest length grows", { ...string, maxLength: 6 }, { ...string, maxLength: 5 }, []],
  [
    "a longest length shrinks",
    { ...string, maxLength: 4 },
    { ...string, maxLength: 5 },
    ["MAX_LENGTH_DECREASED #/maxLength"],
  ],
  [
    "a shortest length grows",
    { ...string, minLength: 2 },
    { ...string, minLength: 1 },
    ["MIN_LENGTH_INCREASED #/minLength"],
  ],
  ["a pattern comes", { ...string, pattern: "^a" }, string, ["PATTERN_ADDED #/pattern"]],
  ["a pattern goes", string, { ...string, pattern: "^a" }, []],
  ["a maximum shrinks", { ...number, maximum: 4 }, { ...number, maximum: 5 }, ["MAXIMUM_DECREASED #/maximum"]],
  [
    "an exclusive minimum comes",
    { ...number, exclusiveMinimum: 4 },
    number,
    ["EXCLUSIVE_MINIMUM_ADDED #/exclusiveMinimum"],
  ],
  ["multiples of a divisor", { ...number, multipleOf: 2 }, { ...number, multipleOf: 4 }, []],
  [
    "multiples of a multiple",
    { ...number, multipleOf: 4 },
    { ...number, multipleOf: 2 },
    ["MULTIPLE_OF_CHANGED #/multipleOf"],
  ],
  // Enums
  ["an enum grows", { enum: ["a", "b"] }, { enum: ["a"] }, []],
  ["an enum shrinks", { enum: ["a"] }, { enum: ["a", "b"] }, ["ENUM_ARRAY_NARROWED #"]],
  ["a constant becomes an enum with it", { enum: [{ x: 1, y: 2 }, 5] }, { const: { y: 2, x: 1 } }, []],
  ["an enum goes, the type remains", string, { ...string, enum: ["a"] }, []],
  ["an enum comes", { ...string, enum: ["a"] }, string, ["TYPE_CHANGED #/allOf/1"]],
  // Arrays
  ["items change", { type: "array", items: string }, { type: "array", items: number }, ["TYPE_CHANGED #/items"]],
  ["unique items come", { type: "array", uniqueItems: true }, { type: "array" }, ["UNIQUE_ITEMS_ADDED #/uniqueItems"]],
  ["fewer items allowed", { type: "array", maxItems: 1 }, { type: "array" }, ["MAX_ITEMS_ADDED #/maxItems"]],
  [
    "a place comes in an open tuple",
    { type: "array", items: [string, string] },
    { type: "array", items: [string] },
    ["ITEM_ADDED_TO_OPEN_CONTENT_MODEL #/items/1"],
  ],
  [
    "a place comes in a closed tuple",
    { type: "array", items: [string, string], additionalItems: false },
    { type: "array", items: [string], additionalItems: false },
    [],
  ],
  // Combinations
  ["a oneOf grows", { oneOf: [string, number, { type: "null" }] }, { oneOf: [number, string] }, []],
  [
    "a oneOf shrinks",
    { oneOf: [string, number] },
    { oneOf: [string, number, { type: "null" }] },
    ["SUM_TYPE_NARROWED #"],
  ],
  ["a oneOf becomes an anyOf", { anyOf: [string, number] }, { oneOf: [string, number] }, []],
  ["an anyOf becomes a oneOf", { oneOf: [string, number] }, { anyOf: [string, number] }, ["COMBINED_TYPE_CHANGED #"]],
  [
    "an allOf shrinks",
    { allOf: [object({ a: string })] },
    { allOf: [object({ a: string }), object({ b: string })] },
    [],
  ],
  [
    "an allOf grows",
    { allOf: [object({ a: string }), { ...string, maxLength: 1 }] },
    { allOf: [object({ a: string }), number] },
    ["PRODUCT_TYPE_EXTENDED #"],
  ],
  ["parts pair so that all match", { anyOf: [number, integer] }, { anyOf: [integer, number] }, []],
  ["not excludes less", { not: { enum: ["a"] } }, { not: { enum: ["a", "b"] } }, []],
  ["not excludes more", { not: { enum: ["a", "b"] } }, { not: { enum: ["a"] } }, ["NOT_TYPE_NARROWED #"]],
  // References
  ["a reference stands for what it leads to", { $ref: "#/definitions/x", definitions: { x: string } }, string, []],
  ["a recursive schema", object({ next: { $ref: "#" }, v: number }), object({ next: { $ref: "#" }, v: integer }), []],
  [
    "a recursive schema that narrows",
    object({ next: { $ref: "#" }, v: integer }),
    object({ next: { $ref: "#" }, v: number }),
    ["TYPE_NARROWED #/properties/v"],
  ],
]

describe("a reader's schema against a writer's", () => {
  test.each(cases)("%s", (_, reader, writer, expected) => {
    const found = jsonIncompatibilities(reader, writer)
    expect(found.map(({ type, path }) => `${type} ${path}`)).toEqual(expected)
  })
})

describe("a lenient policy", () => {
  const lenient: [string, unknown, unknown][] = [
    ["lets an optional property come to an open model", object({ a: string }), object({})],
    ["lets a model close", closed({}), object({})],
  ]
  test.each(lenient)("%s", (_, reader, writer) => {
    expect(jsonIncompatibilities(reader, writer)).not.toEqual([])
    expect(jsonIncompatibilities(reader, writer, { lenient: true })).toEqual([])
  })
})
