import { Schema } from "effect"
import { describe, expect, test } from "vitest"
import { avro, json, recordName, SerdeError, topicRecordName, UnknownSchemaId } from "../../src/index.ts"
import { MemoryRegistry } from "../memory-registry.ts"

class OrderV1 extends Schema.Class<OrderV1>("Order")({ id: Schema.String, amount: Schema.Int }) {}
class OrderV2 extends Schema.Class<OrderV2>("Order")({
  id: Schema.String,
  amount: Schema.Number,
  note: Schema.optional(Schema.String),
}) {}
const at = (registry: MemoryRegistry, topic = "orders", isKey = false) => ({ registry, topic, isKey })

test("bound, it writes 00, the id, and Avro", async () => {
  const registry = new MemoryRegistry()
  await registry.register("other", { schemaType: "AVRO", schema: '"string"' })
  const serde = await avro(OrderV1).bind(at(registry))
  const bytes = serde.encode(new OrderV1({ id: "a", amount: 3 }))
  expect(Buffer.from(bytes).toString("hex")).toBe("0000000002026106")
  expect(serde.decode(bytes)).toStrictEqual(new OrderV1({ id: "a", amount: 3 }))
  expect([...registry.subjects.keys()]).toEqual(["other", "orders-value"])
})

test("an unknown writer's id is resolved outside, then the record reads by schema resolution", async () => {
  const registry = new MemoryRegistry()
  const writer = await avro(OrderV1).bind(at(registry))
  const reader = await avro(OrderV2).bind(at(registry))
  const bytes = writer.encode(new OrderV1({ id: "a", amount: 3 }))
  const unknown = thrown(() => reader.decode(bytes))
  expect(unknown).toBeInstanceOf(UnknownSchemaId)
  expect((unknown as UnknownSchemaId).id).toBe(1)
  await (unknown as UnknownSchemaId).resolve()
  expect(reader.decode(bytes)).toStrictEqual(new OrderV2({ id: "a", amount: 3 }))
  expect(registry.asked).toBe(1)
})

test("an id that the registry does not know stays an error of the registry", async () => {
  const reader = await avro(OrderV1).bind(at(new MemoryRegistry()))
  const unknown = thrown(() => reader.decode(Buffer.from("00000000ff00", "hex"))) as UnknownSchemaId
  await expect(unknown.resolve()).rejects.toThrow("no schema 255")
})

test("a writer's schema may refer to other subjects", async () => {
  const registry = new MemoryRegistry()
  const money = { type: "record", name: "pay.Money", fields: [{ name: "cents", type: "long" }] }
  await registry.register("money", { schemaType: "AVRO", schema: JSON.stringify(money) })
  const bill = { type: "record", name: "Bill", fields: [{ name: "sum", type: "pay.Money" }] }
  const references = [{ name: "pay.Money", subject: "money", version: 1 }]
  const id = await registry.register("bills-value", { schemaType: "AVRO", schema: JSON.stringify(bill), references })
  const whole = { ...bill, fields: [{ name: "sum", type: money }] }
  const reader = await avro(whole).bind(at(registry, "bills"))
  const bytes = Buffer.concat([Buffer.of(0, 0, 0, 0, id), Buffer.of(84)])
  await (thrown(() => reader.decode(bytes)) as UnknownSchemaId).resolve()
  expect(reader.decode(bytes)).toEqual({ sum: { cents: 42 } })
})

test("unbound, it writes Avro's single-object encoding", () => {
  // The fingerprint of "int" that the specification's own table of examples has for its canonical form.
  const bytes = avro({ type: "int" }).encode(1)
  expect(Buffer.from(bytes).toString("hex")).toBe("c3018f5c393f1ad5757202")
  expect(avro('"int"').decode(bytes)).toBe(1)
})

describe("bytes of another kind are refused by name", () => {
  const cases: [string, string, RegExp][] = [
    ["of a registry", "000000000102", /written with a schema registry, but this serde is not bound/],
    ["of another schema", "c301000000000000000002", /written with another schema/],
    ["plain text", "7b7d", /not Avro's single-object encoding/],
  ]
  test.each(cases)("unbound: %s", (_, hex, message) => {
    expect(() => avro({ type: "int" }).decode(Buffer.from(hex, "hex"))).toThrow(message)
  })
  const boundCases: [string, string, RegExp][] = [
    ["too short", "0000", /2 bytes are too few for a schema id/],
    ["plain text", "7b2261223a", /the first byte is 0x7b, not 0x00/],
    ["a GUID", `01${"00".repeat(16)}`, /named by GUID/],
    ["truncated", "0000000001", /do not decode: they end too early/],
    ["with a rest", "00000000010200", /do not decode: 1 bytes are left over/],
  ]
  test.each(boundCases)("bound: %s", async (_, hex, message) => {
    const serde = await avro({ type: "int" }).bind(at(new MemoryRegistry()))
    expect(() => serde.decode(Buffer.from(hex, "hex"))).toThrow(SerdeError)
    expect(() => serde.decode(Buffer.from(hex, "hex"))).toThrow(message)
  })
})

test("a long beyond 2^53 is an error, not another number", () => {
  const serde = avro({ type: "long" })
  const bytes = Buffer.concat([serde.encode(0).subarray(0, 10), Buffer.from("feffffffffffffffff01", "hex")])
  expect(() => serde.decode(bytes)).toThrow(/beyond ±\(2\^53 - 1\)/)
  expect(() => serde.encode(2 ** 53)).toThrow(/expected long, got 9007199254740992/)
})

test("subjects follow the strategy", async () => {
  const registry = new MemoryRegistry()
  await avro(OrderV1).bind(at(registry, "orders", true))
  await avro(OrderV1, { subject: recordName }).bind(at(registry))
  await json(OrderV1, { subject: topicRecordName }).bind(at(registry))
  expect([...registry.subjects.keys()]).toEqual(["orders-key", "Order", "orders-Order"])
  await expect(avro({ type: "int" }, { subject: recordName }).bind(at(registry))).rejects.toThrow(
    /needs a schema with a name/,
  )
})

test("register: false only looks up", async () => {
  const registry = new MemoryRegistry()
  await expect(avro(OrderV1, { register: false }).bind(at(registry))).rejects.toThrow(
    "not registered under orders-value",
  )
})

describe("JSON with a schema", () => {
  class Visit extends Schema.Class<Visit>("Visit")({ at: Schema.Date, pages: Schema.Array(Schema.String) }) {}
  const visit = new Visit({ at: new Date(5), pages: ["/"] })
  test("of an Effect schema", async () => {
    const registry = new MemoryRegistry()
    const serde = await json(Visit).bind(at(registry))
    const bytes = serde.encode({ at: new Date(5), pages: ["/"] })
    expect(Buffer.from(bytes.subarray(5)).toString()).toBe('{"at":"1970-01-01T00:00:00.005Z","pages":["/"]}')
    expect(serde.decode(bytes)).toStrictEqual(visit)
    expect(json(Visit).decode(json(Visit).encode(visit))).toStrictEqual(visit)
    expect(JSON.parse(registry.schemas[0]!.schema)).toMatchObject({
      $schema: "http://json-schema.org/draft-07/schema#",
      title: "Visit",
      type: "object",
      required: ["at", "pages"],
    })
    expect(() => serde.encode({ at: "x", pages: [] } as never)).toThrow(SerdeError)
  })
  test("of a JSON Schema", async () => {
    const schema = {
      type: "object",
      properties: { n: { type: "integer" } },
      required: ["n"],
      additionalProperties: false,
    }
    const serde = await json<{ n: number }>(schema).bind(at(new MemoryRegistry()))
    expect(serde.decode(serde.encode({ n: 1 }))).toEqual({ n: 1 })
    expect(() => serde.encode({ n: 1.5 })).toThrow("json(schema): n: it must be integer")
    expect(() => serde.encode({ n: 1, m: 2 } as never)).toThrow("additional properties (m)")
  })
})

function thrown(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error("nothing was thrown")
}
