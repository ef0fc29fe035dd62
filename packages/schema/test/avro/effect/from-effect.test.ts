import { DateTime, Duration, Effect, Option, Schema } from "effect"
import { describe, expect, test } from "vitest"
import { avro, SerdeError, UnsupportedSchema } from "../../../src/index.ts"

class Address extends Schema.Class<Address>("shop/Address")({
  street: Schema.String,
  zip: Schema.optional(Schema.String),
}) {}

class Tree extends Schema.Class<Tree>("Tree")({
  value: Schema.Int,
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree, any> => Tree)),
}) {}

/** A field of one record: schema, the Avro type of the field, values that survive. */
const cases: [string, Schema.Codec<any, any>, unknown, unknown[]][] = [
  ["String", Schema.String, "string", ["", "ü"]],
  ["Boolean", Schema.Boolean, "boolean", [true, false]],
  ["Number", Schema.Number, "double", [0, 1.5, -1e300, Infinity, NaN]],
  ["Int", Schema.Int, "long", [0, -1, 2 ** 53 - 1, 1 - 2 ** 53]],
  ["Int32", Schema.Int.check(Schema.isInt32()), "int", [0, -(2 ** 31), 2 ** 31 - 1]],
  ["Uint8Array", Schema.Uint8Array, "bytes", [Buffer.from([0, 255])]],
  ["Date", Schema.Date, { type: "long", logicalType: "timestamp-millis" }, [new Date(-5), new Date(1e12)]],
  ["DateTimeUtc", Schema.DateTimeUtc, { type: "long", logicalType: "timestamp-millis" }, [DateTime.makeUnsafe(77)]],
  ["DateFromString", Schema.DateFromString, "string", [new Date(9)]],
  ["BigInt", Schema.BigInt, "string", [12345678901234567890n]],
  ["Array", Schema.Array(Schema.Int), { type: "array", items: "long" }, [[], [1, 2]]],
  ["NonEmptyArray", Schema.NonEmptyArray(Schema.String), { type: "array", items: "string" }, [["a"]]],
  ["array of classes", Schema.Array(Address), undefined, [[new Address({ street: "s" })]]],
  ["Record", Schema.Record(Schema.String, Schema.Number), { type: "map", values: "double" }, [{}, { "k y": 1 }]],
  ["NullOr", Schema.NullOr(Schema.String), ["null", "string"], [null, "x"]],
  ["UndefinedOr", Schema.UndefinedOr(Schema.String), ["null", "string"], [undefined, "x"]],
  ["Option", Schema.Option(Schema.Int), ["null", "long"], [Option.none(), Option.some(5)]],
  ["literals", Schema.Literals(["a", "b"]), { type: "enum", name: "Row_field", symbols: ["a", "b"] }, ["a", "b"]],
  ["literals that are no symbols", Schema.Literals(["a b", "c"]), "string", ["a b"]],
  ["one literal", Schema.Literal("order"), "string", ["order"]],
  ["number literals", Schema.Literals([1, 2]), "long", [1, 2]],
  ["nullable literals", Schema.NullOr(Schema.Literals(["a", "b"])), undefined, ["a", null]],
  ["template", Schema.TemplateLiteral(["id-", Schema.Number]), "string", ["id-5"]],
  ["union by kind", Schema.Union([Schema.String, Schema.Number]), ["string", "double"], ["x", 1.5]],
  ["union of numbers", Schema.Union([Schema.Int, Schema.Number]), ["long", "double"], [5, 1.5]],
  ["union of classes", Schema.Union([Tree, Address]), undefined, [new Address({ street: "s", zip: "z" })]],
  [
    "tagged union",
    Schema.Union([
      Schema.TaggedStruct("Circle", { r: Schema.Number }),
      Schema.TaggedStruct("Square", { r: Schema.Number }),
    ]),
    undefined,
    [
      { _tag: "Circle", r: 1 },
      { _tag: "Square", r: 2 },
    ],
  ],
  ["struct", Schema.Struct({ x: Schema.Int }), undefined, [{ x: 1 }]],
  ["class", Address, undefined, [new Address({ street: "s", zip: "z" })]],
  ["nullable class", Schema.NullOr(Address), undefined, [null, new Address({ street: "s" })]],
  ["recursive class", Tree, undefined, [new Tree({ value: 1, children: [new Tree({ value: 2, children: [] })] })]],
  ["Duration", Schema.Duration, undefined, [Duration.seconds(5)]],
  [
    "decoding default",
    Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("d"))),
    ["null", "string"],
    ["x"],
  ],
]

describe("every kind of field", () => {
  test.each(cases)("%s", (_, schema, type, values) => {
    class Row extends Schema.Class<Row>("Row")({ field: schema, after: Schema.String }) {}
    const serde = avro(Row)
    if (type !== undefined) expect(JSON.parse(serde.schema).fields[0].type).toEqual(type)
    for (const value of values) {
      const row = new Row({ field: value, after: "x" })
      const read = serde.decode(serde.encode(row))
      expect(read).toBeInstanceOf(Row)
      expect(read).toStrictEqual(row)
    }
  })
})

test("a class reads as the Avro record it stands for", () => {
  class Order extends Schema.Class<Order>("shop/orders/Order")(
    { id: Schema.String, address: Address, note: Schema.optionalKey(Schema.String), other: Schema.optional(Address) },
    { description: "What was bought" },
  ) {}
  expect(JSON.parse(avro(Order).schema)).toEqual({
    type: "record",
    name: "Order",
    namespace: "shop.orders",
    doc: "What was bought",
    fields: [
      { name: "id", type: "string" },
      {
        name: "address",
        type: {
          type: "record",
          name: "Address",
          namespace: "shop",
          fields: [
            { name: "street", type: "string" },
            { name: "zip", type: ["null", "string"], default: null },
          ],
        },
      },
      { name: "note", type: ["null", "string"], default: null },
      { name: "other", type: ["null", "shop.Address"], default: null },
    ],
  })
})

test("absent, undefined and null come back as the schema allows", () => {
  const Row = Schema.Struct({
    key: Schema.optionalKey(Schema.String),
    either: Schema.optional(Schema.NullOr(Schema.String)),
    undef: Schema.UndefinedOr(Schema.String),
  }).annotate({ identifier: "Row" })
  const serde = avro(Row)
  expect(serde.decode(serde.encode({ undef: undefined }))).toStrictEqual({ either: null, undef: undefined })
})

test("a class takes plain objects, nested too, and gives instances", () => {
  class Order extends Schema.Class<Order>("Order")({ address: Address }) {}
  const serde = avro(Order)
  const read = serde.decode(serde.encode({ address: { street: "s" } }))
  expect(read).toBeInstanceOf(Order)
  expect(read.address).toBeInstanceOf(Address)
})

test("a missing key takes the schema's decoding default", () => {
  const Row = Schema.Struct({ a: Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("d"))) })
  const serde = avro(Row.annotate({ identifier: "Row" }))
  const written = avro({
    type: "record",
    name: "Row",
    fields: [{ name: "a", type: ["null", "string"], default: null }],
  })
  expect(serde.decode(written.encode({ a: null }))).toEqual({ a: "d" })
})

describe("what does not fit is refused with its place", () => {
  class Order extends Schema.Class<Order>("Order")({
    id: Schema.String,
    amount: Schema.Number.check(Schema.isGreaterThan(0)),
    lines: Schema.Array(Schema.Struct({ count: Schema.Int })),
    tier: Schema.Literals(["gold", "silver"]),
    by: Schema.Record(Schema.String, Address),
    when: Schema.optional(Schema.Date),
  }) {}
  const order = { id: "1", amount: 1, lines: [{ count: 1 }], tier: "gold", by: {} }
  const cases: [string, object, string][] = [
    ["no string", { ...order, id: 1 }, "avro(Order): id: expected a string, got 1"],
    ["a failed check", { ...order, amount: 0 }, "avro(Order): amount: expected a value greater than 0, got 0"],
    ["an item", { ...order, lines: [{ count: 1.5 }] }, "avro(Order): lines.[0].count: expected an integer"],
    ["a symbol", { ...order, tier: "lead" }, 'avro(Order): tier: expected "gold" or "silver", got "lead"'],
    ["a map's value", { ...order, by: { x: {} } }, "avro(Order): by.x.street: expected a string, got undefined"],
    ["an invalid date", { ...order, when: new Date(NaN) }, "avro(Order): when: expected a date"],
    ["no object", 5 as never, "avro(Order): expected Order, got 5"],
  ]
  test.each(cases)("%s", (_, value, message) => {
    const encode = () => avro(Order).encode(value as Order)
    expect(encode).toThrow(SerdeError)
    expect(encode).toThrow(message)
  })
})

describe("what Avro cannot say is refused when the serde is made", () => {
  const cases: [string, Schema.Codec<any, any>, RegExp][] = [
    ["a nameless struct", Schema.Struct({ a: Schema.String }), /needs a name/],
    [
      "a tuple",
      Schema.Struct({ t: Schema.Tuple([Schema.String, Schema.Int]) }).annotate({ identifier: "R" }),
      /^t: .*tuple/,
    ],
    ["unknown", Schema.Struct({ u: Schema.Unknown }).annotate({ identifier: "R" }), /^u: Avro has no type for Unknown/],
    [
      "two arrays in a union",
      Schema.Union([Schema.Array(Schema.String), Schema.Array(Schema.Int)]),
      /two members that are both array/,
    ],
    [
      "one name twice",
      Schema.Struct({
        a: Address,
        b: Schema.Struct({ x: Schema.Int }).annotate({ identifier: "shop/Address" }),
      }).annotate({
        identifier: "R",
      }),
      /two schemas are called shop.Address/,
    ],
    ["a field name", Schema.Struct({ "a b": Schema.Int }).annotate({ identifier: "R" }), /cannot name a field a b/],
  ]
  test.each(cases)("%s", (_, schema, message) => {
    expect(() => avro(schema)).toThrow(UnsupportedSchema)
    expect(() => avro(schema)).toThrow(message)
  })
})
