import { describe, expect, test } from "vitest"
import { RegistryClient, RegistryError, RegistryUnreachable } from "../../src/index.ts"

interface Asked {
  readonly line: string
  readonly body: unknown
  readonly headers: Record<string, string>
}

/** A fetch that answers from a table of `METHOD path` and remembers what it was asked. */
function answering(answers: Record<string, unknown>) {
  const asked: Asked[] = []
  const fetch = (async (input: string, init: RequestInit) => {
    const { pathname, search, host } = new URL(input)
    if (host === "down") throw new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") })
    const line = `${init.method} ${pathname}${search}`
    asked.push({
      line,
      body: init.body && JSON.parse(init.body as string),
      headers: init.headers as Record<string, string>,
    })
    const found = answers[line] as { status?: number; text?: string } | undefined
    if (found?.status) return new Response(found.text ?? JSON.stringify(found), { status: found.status })
    return new Response(JSON.stringify(found))
  }) as typeof globalThis.fetch
  return { asked, fetch }
}

const AVRO = { schemaType: "AVRO", schema: '"int"' } as const

test("what cannot change is asked once, at once or later", async () => {
  const { asked, fetch } = answering({
    "POST /subjects/a%2Fb/versions": { id: 7 },
    "POST /subjects/a%2Fb": { id: 7, version: 1 },
    "GET /schemas/ids/7": { schema: '"int"' },
    "GET /subjects/a%2Fb/versions/1": { subject: "a/b", version: 1, id: 7, schema: '"int"', guid: "x" },
  })
  const client = new RegistryClient({ url: "http://registry/", fetch })
  for (let round = 0; round < 2; round++) {
    expect(await Promise.all([client.register("a/b", AVRO), client.register("a/b", AVRO)])).toEqual([7, 7])
    expect(await client.lookup("a/b", AVRO)).toBe(7)
    expect(await client.schemaById(7)).toEqual(AVRO)
    expect(await client.schemaByVersion("a/b", 1)).toEqual({ ...AVRO, subject: "a/b", version: 1, id: 7 })
  }
  expect(asked.map(({ line }) => line)).toEqual([
    "POST /subjects/a%2Fb/versions",
    "POST /subjects/a%2Fb",
    "GET /schemas/ids/7",
    "GET /subjects/a%2Fb/versions/1",
  ])
  expect(asked[0]!.body).toEqual({ schema: '"int"' })
  expect(asked[0]!.headers["Content-Type"]).toBe("application/vnd.schemaregistry.v1+json")
})

test("latest is asked each time; types and references travel", async () => {
  const references = [{ name: "n", subject: "s", version: 1 }]
  const { asked, fetch } = answering({
    "GET /subjects/s/versions/latest": {
      subject: "s",
      version: 2,
      id: 3,
      schemaType: "JSON",
      schema: "{}",
      references,
    },
    "POST /subjects/s/versions": { id: 3 },
  })
  const client = new RegistryClient({ url: "http://registry", fetch, headers: { Authorization: "Basic x" } })
  const json = { schemaType: "JSON", schema: "{}", references } as const
  expect(await client.schemaByVersion("s", "latest")).toEqual({ ...json, subject: "s", version: 2, id: 3 })
  await client.schemaByVersion("s", "latest")
  await client.register("s", json)
  expect(asked).toHaveLength(3)
  expect(asked[2]!.body).toEqual(json)
  expect(asked[2]!.headers.Authorization).toBe("Basic x")
})

describe("refusals", () => {
  test("carry the registry's code and words, and are asked again", async () => {
    const { asked, fetch } = answering({
      "GET /schemas/ids/9": { status: 404, error_code: 40403, message: "Schema 9 not found" },
    })
    const client = new RegistryClient({ url: "http://registry", fetch })
    const failed = client.schemaById(9)
    await expect(failed).rejects.toBeInstanceOf(RegistryError)
    await expect(failed).rejects.toMatchObject({ status: 404, code: 40403 })
    await expect(client.schemaById(9)).rejects.toThrow("the schema registry refused: Schema 9 not found (40403)")
    expect(asked).toHaveLength(2)
  })
  test("of something that is no registry", async () => {
    const { fetch } = answering({ "GET /subjects": { status: 502, text: "<html>" } })
    const asking = new RegistryClient({ url: "http://registry", fetch }).subjects()
    await expect(asking).rejects.toThrow("it answered 502 and no JSON")
  })
})

test("the next URL is tried when one does not answer", async () => {
  const { fetch } = answering({ "GET /subjects": ["a"] })
  expect(await new RegistryClient({ url: "http://down,http://registry", fetch }).subjects()).toEqual(["a"])
  const asking = new RegistryClient({ url: ["http://down"], fetch }).subjects()
  await expect(asking).rejects.toBeInstanceOf(RegistryUnreachable)
  await expect(asking).rejects.toThrow("no schema registry answers at http://down: ECONNREFUSED")
})

test("compatibility and levels", async () => {
  const { asked, fetch } = answering({
    "POST /compatibility/subjects/s/versions/latest?verbose=true": { is_compatible: false, messages: ["why"] },
    "GET /config": { compatibilityLevel: "BACKWARD" },
    "GET /config/s?defaultToGlobal=true": { compatibilityLevel: "FULL" },
    "PUT /config/s": { compatibility: "NONE" },
  })
  const client = new RegistryClient({ url: "http://registry", fetch })
  expect(await client.compatibility("s", AVRO)).toEqual({ isCompatible: false, messages: ["why"] })
  expect(await client.compatibilityLevel()).toBe("BACKWARD")
  expect(await client.compatibilityLevel("s")).toBe("FULL")
  await client.setCompatibilityLevel("NONE", "s")
  expect(asked.at(-1)!.body).toEqual({ compatibility: "NONE" })
})
