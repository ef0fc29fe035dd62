/**
 * Bytes of the converters: Kafka's own for the basic ones, Kafka Connect's envelope for JSON, Confluent's for Avro.
 */
import type { Registry, SchemaText } from "@millrace/schema"
import { parse } from "@millrace/config"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Converter, ConverterDefinition } from "../../src/converter/converter.ts"
import { pendingSchema } from "../../src/converter/converter.ts"
import { standardConverters } from "../../src/converter/standard.ts"
import { type ConnectSchema, DataError, LogicalName } from "../../src/data/schema.ts"

/** Keeps schemas in memory; ids from 1 on in order of registration. */
class MemoryRegistry implements Registry {
  readonly texts: SchemaText[] = []
  readonly subjects: string[] = []
  register(subject: string, schema: SchemaText): Promise<number> {
    this.subjects.push(subject)
    return Promise.resolve(this.texts.push(schema))
  }
  lookup(subject: string): Promise<number> {
    return Promise.reject(new Error(`${subject} has no such schema`))
  }
  schemaById(id: number): Promise<SchemaText> {
    const found = this.texts[id - 1]
    return found ? Promise.resolve(found) : Promise.reject(new Error(`no schema ${id}`))
  }
  schemaByVersion(): Promise<never> {
    return Promise.reject(new Error("no versions here"))
  }
}

function converter(name: string, settings: Record<string, string> = {}, registry: Registry = new MemoryRegistry()) {
  const found = standardConverters.find((one: ConverterDefinition) => [one.className, ...one.aliases].includes(name))
  if (!found) throw new Error(`no converter ${name}`)
  return found.create(parse(found.config, settings), { isKey: false, registry: () => registry })
}

/** Waits for schemas as a task does. */
async function eventually<T>(run: () => T): Promise<T> {
  for (;;) {
    try {
      return run()
    } catch (error) {
      const resolve = pendingSchema(error)
      if (!resolve) throw error
      await resolve()
    }
  }
}

const hex = (bytes: Uint8Array | null): string | null => (bytes ? Buffer.from(bytes).toString("hex") : null)
const text = (bytes: Uint8Array | null): unknown => (bytes ? JSON.parse(Buffer.from(bytes).toString("utf8")) : null)

describe("basic converters", () => {
  const cases: [name: string, value: unknown, bytes: string][] = [
    ["org.apache.kafka.connect.storage.StringConverter", "ä", "c3a4"],
    ["StringConverter", { a: 1 }, "7b2261223a317d"],
    ["org.apache.kafka.connect.converters.ByteArrayConverter", Uint8Array.of(1, 2), "0102"],
    ["org.apache.kafka.connect.converters.BooleanConverter", true, "01"],
    ["ShortConverter", -2, "fffe"],
    ["IntegerConverter", 258, "00000102"],
    ["LongConverter", -1, "ffffffffffffffff"],
    ["LongConverter", 2 ** 40 + 1, "0000010000000001"],
    ["FloatConverter", 1.5, "3fc00000"],
    ["DoubleConverter", -0.5, "bfe0000000000000"],
  ]
  it.each(cases)("%s writes %j", (name, value, bytes) => {
    const one = converter(name)
    expect(hex(one.fromConnect("t", undefined, value))).toBe(bytes)
    expect(one.fromConnect("t", undefined, null)).toBeNull()
    expect(one.toConnect("t", null).value).toBeNull()
    if (typeof value !== "object" || value instanceof Uint8Array) {
      expect(one.toConnect("t", Buffer.from(bytes, "hex")).value).toEqual(
        value instanceof Uint8Array ? Buffer.from(value) : value,
      )
    }
  })

  it.each([
    ["IntegerConverter", 2 ** 31],
    ["IntegerConverter", "1"],
    ["ShortConverter", 40_000],
    ["BooleanConverter", 1],
  ])("%s refuses %j", (name, value) => {
    expect(() => converter(name).fromConnect("t", undefined, value)).toThrow(DataError)
  })

  it("refuses bytes of another length", () => {
    expect(() => converter("LongConverter").toConnect("t", Uint8Array.of(1))).toThrow(/8 bytes, found 1/)
  })
})

const ORDER: ConnectSchema = {
  type: "struct",
  name: "shop.Order",
  version: 2,
  doc: "An order.",
  fields: [
    { name: "id", schema: { type: "int64" } },
    { name: "small", schema: { type: "int8", default: 7 } },
    { name: "note", schema: { type: "string", optional: true } },
    { name: "price", schema: { type: "bytes", name: LogicalName.decimal, version: 1, parameters: { scale: "2" } } },
    { name: "at", schema: { type: "int64", name: LogicalName.timestamp, version: 1 } },
    {
      name: "lines",
      schema: {
        type: "array",
        items: { type: "struct", name: "shop.Line", fields: [{ name: "n", schema: { type: "float64" } }] },
      },
    },
    { name: "tags", schema: { type: "map", keys: { type: "string" }, values: { type: "boolean" } } },
  ],
}
const order = {
  id: 2 ** 50,
  small: -1,
  note: null,
  price: Buffer.from("fb32", "hex"),
  at: 1_000,
  lines: [{ n: 1.5 }, { n: 2 }],
  tags: { new: true },
}

describe("JsonConverter", () => {
  it("writes plain JSON without schemas.enable", () => {
    const json = converter("JsonConverter", { "schemas.enable": "false" })
    expect(text(json.fromConnect("t", undefined, { a: [1, null] }))).toEqual({ a: [1, null] })
    expect(json.toConnect("t", Buffer.from('{"a":1}'))).toEqual({ schema: undefined, value: { a: 1 } })
    expect(text(json.fromConnect("t", ORDER, order))).toMatchObject({ id: 2 ** 50, price: "+zI=" })
  })

  it("writes Kafka Connect's envelope", () => {
    const schema: ConnectSchema = {
      type: "struct",
      name: "R",
      fields: [{ name: "x", schema: { type: "float32", optional: true } }],
    }
    expect(Buffer.from(converter("JsonConverter").fromConnect("t", schema, { x: 1.5 })!).toString()).toBe(
      '{"schema":{"type":"struct","fields":[{"type":"float","optional":true,"field":"x"}],"optional":false,"name":"R"},"payload":{"x":1.5}}',
    )
  })

  it("reads what it wrote, schema and value", () => {
    const json = converter("org.apache.kafka.connect.json.JsonConverter")
    const bytes = json.fromConnect("t", ORDER, order)
    expect(json.toConnect("t", bytes)).toEqual({ schema: ORDER, value: order })
    expect(json.toConnect("t", bytes).schema).toBe(json.toConnect("t", bytes).schema)
  })

  it("reads and writes decimals as numbers", () => {
    const json = converter("JsonConverter", { "decimal.format": "NUMERIC" })
    const schema = ORDER.fields![3]!.schema
    const bytes = json.fromConnect("t", schema, order.price)
    expect(text(bytes)).toMatchObject({ payload: -12.3 })
    expect(json.toConnect("t", bytes).value).toEqual(Uint8Array.from(order.price))
  })

  it("replaces null by the default unless told not to", () => {
    const schema: ConnectSchema = {
      type: "struct",
      name: "R",
      fields: [{ name: "x", schema: { type: "int32", optional: true, default: 5 } }],
    }
    expect(text(converter("JsonConverter").fromConnect("t", schema, {}))).toMatchObject({ payload: { x: 5 } })
    const kept = converter("JsonConverter", { "replace.null.with.default": "false" })
    expect(text(kept.fromConnect("t", schema, {}))).toMatchObject({ payload: { x: null } })
  })

  it.each([
    ["no envelope", '{"a":1}', /schemas\.enable/],
    ["no JSON", "{", /not JSON/],
    ["an unknown type", '{"schema":{"type":"int7"},"payload":1}', /schema\.type "int7"/],
    [
      "a missing field",
      '{"schema":{"type":"struct","fields":[{"field":"x","type":"int32"}]},"payload":{}}',
      /payload\.x is null/,
    ],
  ])("refuses %s", (_name, bytes, message) => {
    expect(() => converter("JsonConverter").toConnect("t", Buffer.from(bytes))).toThrow(message)
  })

  it("names the path of a value that does not fit", () => {
    const bad = { ...order, lines: [{ n: 1 }, { n: "2" }] }
    expect(() => converter("JsonConverter").fromConnect("t", ORDER, bad)).toThrow(
      'value.lines[1].n should be float64 but is "2"',
    )
  })
})

describe("AvroConverter", () => {
  it("registers under the topic and writes id and value", async () => {
    const registry = new MemoryRegistry()
    const avro = converter("io.confluent.connect.avro.AvroConverter", {}, registry)
    const bytes = await eventually(() => avro.fromConnect("orders", ORDER, order))
    expect(hex(bytes!.subarray(0, 5))).toBe("0000000001")
    expect(registry.subjects).toEqual(["orders-value"])
    expect(JSON.parse(registry.texts[0]!.schema)).toMatchObject({ type: "record", name: "Order", namespace: "shop" })
  })

  it("reads what another has written, schema and value", async () => {
    const registry = new MemoryRegistry()
    const bytes = await eventually(() => {
      writer ??= converter("AvroConverter", {}, registry)
      return writer.fromConnect("orders", ORDER, order)
    })
    const reader = converter("AvroConverter", {}, registry)
    const found = await eventually(() => reader.toConnect("orders", bytes))
    const { version: _, ...unversioned } = ORDER
    expect(found.schema).toEqual(unversioned)
    expect(found.value).toEqual(order)
  })
  let writer: Converter | undefined

  it("keeps enums, fixed and nested nullables through both directions", async () => {
    const registry = new MemoryRegistry()
    const schema = {
      type: "record",
      name: "n.R",
      fields: [
        { name: "e", type: { type: "enum", name: "n.E", symbols: ["A", "B"] } },
        { name: "f", type: { type: "fixed", name: "n.F", size: 2 } },
        { name: "again", type: ["null", "n.E"], default: null },
        { name: "d", type: ["int", "null"], default: 3 },
      ],
    }
    await registry.register("x-value", { schemaType: "AVRO", schema: JSON.stringify(schema) })
    const avro = converter("AvroConverter", {}, registry)
    const bytes = Buffer.from("000000000102010202000006", "hex")
    const found = await eventually(() => avro.toConnect("x", bytes))
    expect(found.value).toEqual({ e: "B", f: Buffer.from([1, 2]), again: "A", d: 3 })
    const back = await eventually(() => avro.fromConnect("y", found.schema, found.value))
    expect(hex(back!.subarray(5))).toBe(hex(bytes.subarray(5)))
  })

  it("passes nulls by and needs schemas", () => {
    const avro = converter("AvroConverter")
    expect(avro.fromConnect("t", undefined, null)).toBeNull()
    expect(avro.toConnect("t", null)).toEqual({ schema: undefined, value: null })
    expect(() => avro.fromConnect("t", undefined, 1)).toThrow(/needs records with a schema/)
    expect(() => avro.toConnect("t", Buffer.from("hello"))).toThrow(/not Avro of a registry/)
  })

  it("asks for the schema to be there when it must not register", async () => {
    const avro = converter("AvroConverter", { "auto.register.schemas": "false" })
    await expect(eventually(() => avro.fromConnect("t", ORDER, order))).rejects.toThrow(/no such schema/)
  })

  it("round-trips every primitive", async () => {
    const primitive: Record<string, fc.Arbitrary<unknown>> = {
      int16: fc.integer({ min: -32768, max: 32767 }),
      int32: fc.integer(),
      int64: fc.maxSafeInteger(),
      float32: fc.float({ noNaN: true }),
      float64: fc.double({ noNaN: true }),
      boolean: fc.boolean(),
      string: fc.string(),
    }
    for (const [type, values] of Object.entries(primitive)) {
      const schema: ConnectSchema = {
        type: "struct",
        name: "R",
        fields: [{ name: "x", schema: { type: type as "int32", optional: true } }],
      }
      const avro = converter("AvroConverter")
      await eventually(() => avro.fromConnect("t", schema, { x: null }))
      await eventually(() => avro.toConnect("t", avro.fromConnect("t", schema, { x: null })))
      fc.assert(
        fc.property(fc.option(values), (x) => {
          const found = avro.toConnect("t", avro.fromConnect("t", schema, { x })).value as { x: unknown }
          expect(found.x === 0 ? 0 : found.x).toEqual(x === 0 ? 0 : x)
        }),
      )
    }
  })
})
