import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { Api, record, textOf } from "./api.ts"

let api: Api
beforeEach(async () => {
  api = await Api.start()
})
afterEach(() => api.close())

const refused = (status: number, code: number) => ({ status, body: { error_code: code } })

describe("registering", () => {
  test("is idempotent under a subject", async () => {
    expect(await api.register("a", record("x"))).toMatchObject({ status: 200, body: { id: 1, version: 1 } })
    expect((await api.register("a", record("x"))).body).toEqual({ id: 1, version: 1 })
    expect(api.store.log).toHaveLength(1)
  })
  test("white space, attribute order and long forms do not make another schema", async () => {
    await api.register("a", '{"type":"record","name":"R","fields":[{"name":"x","type":"int"}]}')
    const other = '{ "name": "R", "fields": [{"type": {"type": "int"}, "name": "x"}],\n "type": "record" }'
    expect((await api.register("a", other)).body).toEqual({ id: 1, version: 1 })
  })
  test("the same schema under another subject has the same id", async () => {
    await api.register("a", record("x"))
    await api.register("b", record("y"))
    expect((await api.register("b", record("y", "x?"))).body).toEqual({ id: 3, version: 2 })
    expect((await api.register("c", record("y"))).body).toEqual({ id: 2, version: 1 })
  })
  test("ids are counted per context", async () => {
    await api.register("a", record("x"))
    await api.register("a", record("x", "y?"))
    expect((await api.register(":.dev:a", record("z"))).body).toEqual({ id: 1, version: 1 })
    expect((await api.call("GET /contexts")).body).toEqual([".", ".dev"])
    expect((await api.call("GET /schemas/ids/1?subject=:.dev:a")).body.schema).toBe(textOf(record("z")))
    expect((await api.call("GET /schemas/ids/1")).body.schema).toBe(textOf(record("x")))
    expect((await api.call("GET /subjects")).body).toEqual([":.dev:a", "a"])
    expect((await api.call("GET /subjects?subjectPrefix=a")).body).toEqual(["a"])
    expect((await api.call("GET /subjects?subjectPrefix=:.dev:")).body).toEqual([":.dev:a"])
  })
  test("normalize brings names to one form", async () => {
    const plain = '{"type":"record","name":"R","namespace":"n","fields":[{"name":"x","type":["null","R"]}],"z":1,"a":2}'
    const full = '{"a":2,"z":1,"type":"record","name":"n.R","fields":[{"name":"x","type":["null","n.R"]}]}'
    const path = "POST /subjects/a/versions?normalize=true"
    expect((await api.call(path, { schema: plain })).body).toEqual({ id: 1, version: 1 })
    expect((await api.call(path, { schema: full })).body).toEqual({ id: 1, version: 1 })
    await api.call("PUT /config/b", { normalize: true })
    await api.register("b", plain)
    expect((await api.register("b", full)).body).toEqual({ id: 1, version: 1 })
  })
  test("subjects may hold any sign", async () => {
    const subject = "päth/with ?#%&"
    await api.register(subject, record("x"))
    expect((await api.call("GET /subjects")).body).toEqual([subject])
    expect((await api.call(`GET /subjects/${encodeURIComponent(subject)}/versions`)).body).toEqual([1])
  })
  const bad: [string, unknown, number][] = [
    ["no schema", {}, 42201],
    ["an empty schema", { schema: "" }, 42201],
    ["no JSON", { schema: "{" }, 42201],
    ["no Avro", { schema: '{"type":"nonsense"}' }, 42201],
    ["no JSON schema", { schema: '{"type":12}', schemaType: "JSON" }, 42201],
    ["a keyword that its draft has otherwise", { schema: json2020({ prefixItems: {} }), schemaType: "JSON" }, 42201],
    ["a draft that is no text", { schema: '{"$schema":7}', schemaType: "JSON" }, 42201],
    ["no type that is known", { schema: '"int"', schemaType: "PROTOBUF" }, 42201],
    ["a reference to nothing", { schema: '"int"', references: [{ name: "a", subject: "none", version: 1 }] }, 42201],
    ["a version that is not next", { schema: '"int"', version: 7 }, 42201],
    ["an id out of IMPORT mode", { schema: '"int"', id: 7 }, 42205],
  ]
  test.each(bad)("refuses %s", async (_, body, code) => {
    expect(await api.call("POST /subjects/a/versions", body)).toMatchObject(refused(422, code))
    expect(api.store.log).toEqual([])
  })
  const good: [string, unknown][] = [
    ["draft 4's bounds", { $schema: "http://json-schema.org/draft-04/schema#", minimum: 1, exclusiveMinimum: true }],
    ["draft 6", { $schema: "http://json-schema.org/draft-06/schema#", const: 1 }],
    ["keywords of one's own", { $schema: "https://example.com/own", type: "object", "x-owner": 7 }],
    ["references to what lies elsewhere", { properties: { a: { $ref: "other.json" } } }],
  ]
  test.each(good)("takes a JSON schema with %s", async (_, schema) => {
    const body = { schema: JSON.stringify(schema), schemaType: "JSON" }
    expect(await api.call("POST /subjects/a/versions", body)).toMatchObject({ status: 200 })
  })
  test("refuses a schema that is not compatible, and says why", async () => {
    await api.register("a", record("x"))
    const answer = await api.register("a", record("x", "y"))
    expect(answer).toMatchObject(refused(409, 40901))
    expect(answer.body.message).toContain("READER_FIELD_MISSING_DEFAULT_VALUE")
    expect(answer.body.message).toContain("oldSchemaVersion: 1")
  })
  test("refuses a body that is no JSON object", async () => {
    expect(await api.call("POST /subjects/a/versions", "{")).toMatchObject(refused(400, 400))
    expect(await api.call("POST /subjects/a/versions", "[]")).toMatchObject(refused(400, 400))
  })
  test("writes of one moment go one after another", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => api.register(`s${index}`, record(`f${index}`))),
    )
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(20)
  })
})

function json2020(schema: object): string {
  return JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", ...schema })
}

describe("reading", () => {
  beforeEach(async () => {
    await api.register("a", record("x"))
    await api.register("a", record("x", "y?"))
    await api.register("b", record("x"))
  })
  const cases: [string, unknown][] = [
    ["GET /", {}],
    ["POST /", {}],
    ["GET /schemas/types", ["AVRO", "JSON"]],
    ["GET /schemas/ids/1", { schema: textOf(record("x")) }],
    ["GET /schemas/ids/1?fetchMaxId=true", { schema: textOf(record("x")), maxId: 2 }],
    ["GET /schemas/ids/1/schema", record("x")],
    ["GET /schemas/ids/1/subjects", ["a", "b"]],
    [
      "GET /schemas/ids/1/versions",
      [
        { subject: "a", version: 1 },
        { subject: "b", version: 1 },
      ],
    ],
    ["GET /subjects", ["a", "b"]],
    ["GET /subjects?offset=1&limit=5", ["b"]],
    ["GET /subjects?limit=1", ["a"]],
    ["GET /subjects/a/versions", [1, 2]],
    ["GET /subjects/a/versions/1", { subject: "a", version: 1, id: 1, schema: textOf(record("x")) }],
    ["GET /subjects/a/versions/latest", { subject: "a", version: 2, id: 2, schema: textOf(record("x", "y?")) }],
    ["GET /subjects/a/versions/-1", { subject: "a", version: 2, id: 2, schema: textOf(record("x", "y?")) }],
    ["GET /subjects/a/versions/1/schema", record("x")],
    ["GET /config", { compatibilityLevel: "BACKWARD" }],
    ["GET /mode", { mode: "READWRITE" }],
    ["GET /contexts", ["."]],
    ["GET /config/a?defaultToGlobal=true", { compatibilityLevel: "BACKWARD" }],
    ["GET /mode/a?defaultToGlobal=true", { mode: "READWRITE" }],
    ["GET /v1/metadata/version", { version: "0.1.0", commitId: "" }],
  ]
  test.each(cases)("%s", async (line, expected) => {
    expect(await api.call(line)).toMatchObject({ status: 200, body: expected })
  })
  const refusals: [string, number, number][] = [
    ["GET /schemas/ids/9", 404, 40403],
    ["GET /schemas/ids/x", 404, 40403],
    ["GET /schemas/ids/9/subjects", 404, 40403],
    ["GET /schemas/ids/9/versions", 404, 40403],
    ["GET /subjects/none/versions", 404, 40401],
    ["GET /subjects/none/versions/1", 404, 40401],
    ["GET /subjects/a/versions/9", 404, 40402],
    ["GET /subjects/a/versions/0", 422, 42202],
    ["GET /subjects/a/versions/x", 422, 42202],
    ["GET /subjects/a/versions/2147483648", 422, 42202],
    ["GET /config/a", 404, 40408],
    ["GET /mode/a", 404, 40409],
    ["GET /nowhere", 404, 404],
    ["PUT /subjects", 405, 405],
  ]
  test.each(refusals)("%s is refused with %d, %d", async (line, status, code) => {
    const answer = await api.call(line)
    expect(answer).toMatchObject(refused(status, code))
    expect(answer.body.message).toEqual(expect.any(String))
  })
  test("content types are the registry's, as the request prefers", async () => {
    const types = ["application/vnd.schemaregistry.v1+json", "application/vnd.schemaregistry+json", "application/json"]
    for (const type of types) {
      expect((await api.call("GET /subjects", undefined, { Accept: `${type}, */*` })).contentType).toBe(type)
    }
    expect((await api.call("GET /subjects", undefined, { Accept: "*/*" })).contentType).toBe(types[0])
    expect((await api.call("GET /nowhere")).contentType).toBe(types[0])
  })
})

describe("looking up", () => {
  beforeEach(() => api.register("a", record("x")))
  test("finds the version that has the schema", async () => {
    const answer = await api.call("POST /subjects/a", { schema: ` ${textOf(record("x"))}` })
    expect(answer.body).toEqual({ subject: "a", version: 1, id: 1, schema: textOf(record("x")) })
  })
  test("refuses what is not there", async () => {
    expect(await api.call("POST /subjects/a", { schema: '"int"' })).toMatchObject(refused(404, 40403))
    expect(await api.call("POST /subjects/none", { schema: '"int"' })).toMatchObject(refused(404, 40401))
    expect(await api.call("POST /subjects/a", { schema: "{" })).toMatchObject(refused(422, 42201))
  })
  test("finds deleted versions when asked to", async () => {
    await api.register("a", record("x", "y?"))
    await api.call("DELETE /subjects/a/versions/1")
    const schema = textOf(record("x"))
    expect(await api.call("POST /subjects/a", { schema })).toMatchObject(refused(404, 40403))
    expect((await api.call("POST /subjects/a?deleted=true", { schema })).body).toMatchObject({ version: 1, id: 1 })
  })
})

describe("deleting", () => {
  beforeEach(async () => {
    await api.register("a", record("x"))
    await api.register("a", record("x", "y?"))
  })
  test("a subject softly: hidden, its ids still resolve, its versions go on", async () => {
    expect((await api.call("DELETE /subjects/a")).body).toEqual([1, 2])
    expect((await api.call("GET /subjects")).body).toEqual([])
    expect((await api.call("GET /subjects?deleted=true")).body).toEqual(["a"])
    expect((await api.call("GET /subjects?deletedOnly=true")).body).toEqual(["a"])
    expect(await api.call("GET /subjects/a/versions")).toMatchObject(refused(404, 40401))
    expect((await api.call("GET /subjects/a/versions?deleted=true")).body).toEqual([1, 2])
    expect((await api.call("GET /schemas/ids/1")).body.schema).toBe(textOf(record("x")))
    expect((await api.call("GET /schemas/ids/1/subjects")).body).toEqual([])
    expect((await api.call("GET /schemas/ids/1/subjects?deleted=true")).body).toEqual(["a"])
    expect((await api.register("a", record("z"))).body).toEqual({ id: 3, version: 3 })
  })
  test("a schema registered again keeps its id, and its old version goes", async () => {
    await api.call("DELETE /subjects/a")
    expect((await api.register("a", record("x"))).body).toEqual({ id: 1, version: 3 })
    expect((await api.call("GET /subjects/a/versions?deleted=true")).body).toEqual([2, 3])
  })
  test("a subject permanently: after the soft deletion only, with its settings", async () => {
    await api.call("PUT /config/a", { compatibility: "NONE" })
    expect(await api.call("DELETE /subjects/a?permanent=true")).toMatchObject(refused(404, 40405))
    await api.call("DELETE /subjects/a")
    expect(await api.call("DELETE /subjects/a")).toMatchObject(refused(404, 40404))
    expect((await api.call("DELETE /subjects/a?permanent=true")).body).toEqual([1, 2])
    expect((await api.call("GET /subjects?deleted=true")).body).toEqual([])
    expect(await api.call("GET /schemas/ids/1")).toMatchObject(refused(404, 40403))
    expect(await api.call("GET /config/a")).toMatchObject(refused(404, 40408))
    expect(await api.call("DELETE /subjects/a")).toMatchObject(refused(404, 40401))
    expect((await api.register("a", record("x"))).body).toMatchObject({ version: 1 })
  })
  test("a version softly, then permanently", async () => {
    expect(await api.call("DELETE /subjects/a/versions/1?permanent=true")).toMatchObject(refused(404, 40407))
    expect((await api.call("DELETE /subjects/a/versions/1")).body).toBe(1)
    expect(await api.call("DELETE /subjects/a/versions/1")).toMatchObject(refused(404, 40406))
    expect((await api.call("GET /subjects/a/versions")).body).toEqual([2])
    expect(await api.call("GET /subjects/a/versions/1")).toMatchObject(refused(404, 40402))
    expect((await api.call("GET /subjects/a/versions/1?deleted=true")).body).toMatchObject({
      version: 1,
      deleted: true,
    })
    expect((await api.call("GET /subjects/a/versions?deletedOnly=true")).body).toEqual([1])
    expect((await api.call("DELETE /subjects/a/versions/1?permanent=true")).body).toBe(1)
    expect(await api.call("GET /schemas/ids/1")).toMatchObject(refused(404, 40403))
    expect((await api.call("DELETE /subjects/a/versions/latest")).body).toBe(2)
    expect(await api.call("DELETE /subjects/a/versions/9")).toMatchObject(refused(404, 40402))
  })
  test("deleted versions do not bind the next ones", async () => {
    await api.call("DELETE /subjects/a")
    expect(await api.register("a", record("other"))).toMatchObject({ status: 200 })
  })
})

describe("references", () => {
  const money = { type: "record", name: "pay.Money", fields: [{ name: "cents", type: "long" }] }
  const bill = { type: "record", name: "Bill", fields: [{ name: "sum", type: "pay.Money" }] }
  const references = [{ name: "pay.Money", subject: "money", version: 1 }]
  beforeEach(() => api.register("money", money))
  test("let a schema use a type of another subject", async () => {
    expect((await api.register("bill", bill, { references })).body).toEqual({ id: 2, version: 1 })
    const { body } = await api.call("GET /subjects/bill/versions/1")
    expect(body).toEqual({ subject: "bill", version: 1, id: 2, references, schema: textOf(bill) })
    expect((await api.call("GET /schemas/ids/2")).body).toEqual({ references, schema: textOf(bill) })
    expect((await api.call("GET /subjects/money/versions/1/referencedby")).body).toEqual([2])
    expect(await api.register("other", bill)).toMatchObject(refused(422, 42201))
  })
  test("keep what they lead to from being deleted", async () => {
    await api.register("bill", bill, { references })
    expect(await api.call("DELETE /subjects/money")).toMatchObject(refused(422, 42206))
    expect(await api.call("DELETE /subjects/money/versions/1")).toMatchObject(refused(422, 42206))
    await api.call("DELETE /subjects/bill")
    expect((await api.call("DELETE /subjects/money")).body).toEqual([1])
  })
  test("are followed through, and within the parent's context", async () => {
    await api.register(":.c:money", money)
    await api.register(":.c:bill", bill, { references })
    const book = { type: "record", name: "Book", fields: [{ name: "bills", type: { type: "array", items: "Bill" } }] }
    const toBill = [{ name: "Bill", subject: "bill", version: 1 }]
    expect(await api.register(":.c:book", book, { references: toBill })).toMatchObject({ status: 200 })
    expect((await api.call("GET /subjects/:.c:money/versions/1/referencedby")).body).toEqual([2])
    expect(await api.call("DELETE /subjects/:.c:money")).toMatchObject(refused(422, 42206))
    expect((await api.call("DELETE /subjects/money")).body).toEqual([1])
  })
  test("count for compatibility", async () => {
    await api.register("bill", bill, { references })
    const other = { type: "record", name: "pay.Money", fields: [{ name: "cents", type: "string" }] }
    await api.call("PUT /config/money", { compatibility: "NONE" })
    await api.register("money", other)
    const changed = [{ name: "pay.Money", subject: "money", version: 2 }]
    expect(await api.register("bill", bill, { references: changed })).toMatchObject(refused(409, 40901))
  })
})

describe("JSON schemas", () => {
  const schema = { type: "object", properties: { a: { type: "number" } } }
  test("are registered and looked up, with their type", async () => {
    const text = '{ "type": "object",\n "properties": {"a": {"type": "number", "multipleOf": 1.0}} }'
    expect((await api.register("j", text, { schemaType: "JSON" })).body).toEqual({ id: 1, version: 1 })
    const { body } = await api.call("GET /schemas/ids/1")
    expect(body).toEqual({
      schemaType: "JSON",
      schema: '{"type":"object","properties":{"a":{"type":"number","multipleOf":1.0}}}',
    })
    expect((await api.call("POST /subjects/j", { schema: text, schemaType: "JSON" })).body).toMatchObject({
      version: 1,
    })
    expect(await api.register("k", "[]", { schemaType: "JSON" })).toMatchObject(refused(422, 42201))
  })
  test("are judged like others", async () => {
    const json = { schemaType: "JSON" }
    const closed = (...names: string[]) => ({
      type: "object",
      properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])),
      additionalProperties: false,
    })
    await api.register("j", closed("a"), json)
    expect(await api.register("j", closed("a", "b"), json)).toMatchObject({ status: 200, body: { version: 2 } })
    const answer = await api.register("j", closed("b"), json)
    expect(answer).toMatchObject(refused(409, 40901))
    expect(answer.body.message).toContain("PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL")
    await api.register("open", schema, json)
    const wider = { type: "object", properties: { ...schema.properties, b: { type: "string" } } }
    expect(await api.register("open", wider, json)).toMatchObject(refused(409, 40901))
    await api.call("PUT /config/open", { compatibilityPolicy: "LENIENT" })
    expect(await api.register("open", wider, json)).toMatchObject({ status: 200 })
  })
  test("are not compatible with Avro", async () => {
    await api.register("j", '"int"')
    expect(await api.register("j", schema, { schemaType: "JSON" })).toMatchObject(refused(409, 40901))
  })
})
