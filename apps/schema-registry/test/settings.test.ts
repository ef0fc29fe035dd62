import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { Api, record, textOf } from "./api.ts"

let api: Api
beforeEach(async () => {
  api = await Api.start()
})
afterEach(() => api.close())

const refused = (status: number, code: number) => ({ status, body: { error_code: code } })

describe("compatibility levels", () => {
  /** Versions in order, and whether the last one is accepted, by level. */
  const added = [record("x"), record("x", "y?")]
  const dropped = [record("x", "y"), record("x")]
  const required = [record("x"), record("x", "y")]
  // Each step adds a default of the one before, but the last one needs what the first did not write.
  const drift = [record("x"), record("x", "y?"), record("x", "y")]
  const cases: [string, object[], boolean][] = [
    ["NONE", required, true],
    ["BACKWARD", added, true],
    ["BACKWARD", dropped, true],
    ["BACKWARD", required, false],
    ["FORWARD", required, true],
    ["FORWARD", added, true],
    ["FORWARD", dropped, false],
    ["FULL", added, true],
    ["FULL", required, false],
    ["FULL", dropped, false],
    ["BACKWARD", drift, true],
    ["BACKWARD_TRANSITIVE", drift, false],
    ["FORWARD_TRANSITIVE", [record("x", "y"), record("x", "y?"), record("x")], false],
    ["FORWARD", [record("x", "y"), record("x", "y?"), record("x")], true],
    ["FULL_TRANSITIVE", drift, false],
  ]
  test.each(cases)("%s, case %#", async (level, versions, accepted) => {
    await api.call("PUT /config/a", { compatibility: "NONE" })
    for (const version of versions.slice(0, -1)) await api.register("a", version)
    expect((await api.call("PUT /config/a", { compatibility: level })).body).toEqual({ compatibility: level })
    const last = { schema: textOf(versions.at(-1)) }
    const verdict = await api.call("POST /compatibility/subjects/a/versions?verbose=true", last)
    expect(verdict.body.is_compatible).toBe(accepted)
    expect(verdict.body.messages.length > 0).toBe(!accepted)
    expect((await api.call("POST /subjects/a/versions", last)).status).toBe(accepted ? 200 : 409)
  })

  test("the endpoints compare with one version, the latest, or all", async () => {
    await api.call("PUT /config/a", { compatibility: "NONE" })
    for (const version of drift) await api.register("a", version)
    await api.call("PUT /config/a", { compatibility: "BACKWARD" })
    const body = { schema: textOf(record("x", "y")) }
    const ask = async (version: string) =>
      (await api.call(`POST /compatibility/subjects/a/versions/${version}`, body)).body
    expect(await ask("1")).toEqual({ is_compatible: false })
    expect(await ask("2")).toEqual({ is_compatible: true })
    expect(await ask("latest")).toEqual({ is_compatible: true })
    expect(await api.call("POST /compatibility/subjects/a/versions/9", body)).toMatchObject(refused(404, 40402))
    expect(await api.call("POST /compatibility/subjects/a/versions/x", body)).toMatchObject(refused(422, 42202))
    expect((await api.call("POST /compatibility/subjects/none/versions/latest", body)).body).toEqual({
      is_compatible: true,
    })
    expect(await api.call("POST /compatibility/subjects/a/versions/1", { schema: "{" })).toMatchObject(
      refused(422, 42201),
    )
    const invalid = await api.call("POST /compatibility/subjects/a/versions/1?verbose=true", { schema: "{" })
    expect(invalid.body).toMatchObject({ is_compatible: false, messages: [expect.stringContaining("not JSON")] })
  })

  test("verbose messages say what, where and against which version", async () => {
    await api.register("a", record("x"))
    const body = { schema: textOf(record("x", "y")) }
    const { messages } = (await api.call("POST /compatibility/subjects/a/versions/1?verbose=true", body)).body
    expect(messages[0]).toMatch(/^\{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'.*\/fields\/1.*'\}$/)
    expect(messages.slice(1)).toEqual([
      "{oldSchemaVersion: 1}",
      `{oldSchema: '${textOf(record("x"))}'}`,
      "{compatibility: 'BACKWARD'}",
    ])
  })

  test("are the subject's, else the context's, else the registry's", async () => {
    await api.call("PUT /config", { compatibility: "FULL" })
    await api.call("PUT /config/:.c:", { compatibility: "FORWARD" })
    await api.call("PUT /config/:.c:a", { compatibility: "NONE" })
    const level = async (subject: string) =>
      (await api.call(`GET /config/${subject}?defaultToGlobal=true`)).body.compatibilityLevel
    expect(await level("a")).toBe("FULL")
    expect(await level(":.c:b")).toBe("FORWARD")
    expect(await level(":.c:a")).toBe("NONE")
    expect((await api.call("DELETE /config/:.c:a")).body).toEqual({ compatibilityLevel: "NONE" })
    expect(await level(":.c:a")).toBe("FORWARD")
    expect((await api.call("DELETE /config")).body).toEqual({ compatibilityLevel: "FULL" })
    expect(await level("a")).toBe("BACKWARD")
  })

  test("change one setting and keep the others", async () => {
    await api.call("PUT /config/a", { compatibility: "FULL", normalize: true })
    await api.call("PUT /config/a", { compatibilityGroup: "v" })
    expect((await api.call("GET /config/a")).body).toEqual({
      compatibilityLevel: "FULL",
      normalize: true,
      compatibilityGroup: "v",
    })
  })

  test("refuse other words", async () => {
    expect(await api.call("PUT /config", { compatibility: "SOMETIMES" })).toMatchObject(refused(422, 42203))
    expect(await api.call("DELETE /config/none")).toMatchObject(refused(404, 40401))
  })
})

describe("modes", () => {
  test("READONLY refuses every write but a registration that is there already", async () => {
    await api.register("a", record("x"))
    expect((await api.call("PUT /mode/a", { mode: "READONLY" })).body).toEqual({ mode: "READONLY" })
    expect(await api.register("a", record("x", "y?"))).toMatchObject(refused(422, 42205))
    expect(await api.register("a", record("x"))).toMatchObject({ status: 200 })
    expect(await api.call("DELETE /subjects/a")).toMatchObject(refused(422, 42205))
    expect(await api.call("DELETE /subjects/a/versions/1")).toMatchObject(refused(422, 42205))
    expect(await api.call("PUT /config/a", { compatibility: "FULL" })).toMatchObject(refused(422, 42205))
    expect((await api.call("DELETE /mode/a")).body).toEqual({ mode: "READONLY" })
    expect(await api.register("a", record("x", "y?"))).toMatchObject({ status: 200 })
  })
  test("of the registry yields to that of a subject, but READONLY_OVERRIDE", async () => {
    await api.call("PUT /mode/a", { mode: "READWRITE" })
    await api.call("PUT /mode", { mode: "READONLY" })
    expect(await api.register("a", record("x"))).toMatchObject({ status: 200 })
    expect(await api.register("b", record("x"))).toMatchObject(refused(422, 42205))
    await api.call("PUT /mode", { mode: "READONLY_OVERRIDE" })
    expect(await api.register("a", record("x", "y?"))).toMatchObject(refused(422, 42205))
  })
  test("IMPORT takes the caller's ids and versions, and asks for no compatibility", async () => {
    await api.register("b", record("x"))
    expect((await api.call("PUT /mode/a", { mode: "IMPORT" })).body).toEqual({ mode: "IMPORT" })
    expect(await api.register("a", record("z"))).toMatchObject(refused(422, 42205))
    expect((await api.register("a", record("z"), { id: 40, version: 7 })).body).toEqual({ id: 40, version: 7 })
    expect((await api.register("a", record("q"), { id: 41 })).body).toEqual({ id: 41, version: 8 })
    expect(await api.register("a", record("w"), { id: 1 })).toMatchObject(refused(422, 42205))
    expect((await api.register("a", record("x"), { id: 1, version: 2 })).body).toEqual({ id: 1, version: 2 })
    await api.call("DELETE /mode/a")
    expect((await api.register("c", record("new"))).body).toEqual({ id: 42, version: 1 })
  })
  test("IMPORT needs no subjects, or force", async () => {
    await api.register("a", record("x"))
    expect(await api.call("PUT /mode", { mode: "IMPORT" })).toMatchObject(refused(422, 42205))
    expect(await api.call("PUT /mode?force=true", { mode: "IMPORT" })).toMatchObject({ status: 200 })
  })
  test("are reset with those of the subjects inside", async () => {
    await api.register("a", record("x"))
    await api.call("PUT /mode/a", { mode: "READONLY" })
    await api.call("PUT /mode", { mode: "READONLY" })
    expect((await api.call("DELETE /mode?recursive=true")).body).toEqual({ mode: "READONLY" })
    expect(await api.call("GET /mode/a")).toMatchObject(refused(404, 40409))
  })
  test("refuse other words, and any change when they are fixed", async () => {
    expect(await api.call("PUT /mode", { mode: "OFF" })).toMatchObject(refused(422, 42204))
    expect(await api.call("DELETE /mode/none")).toMatchObject(refused(404, 40401))
    const fixed = await Api.start({ "mode.mutability": "false" })
    expect(await fixed.call("PUT /mode", { mode: "READONLY" })).toMatchObject(refused(422, 42205))
    await fixed.close()
  })
})

test("defaults are judged when the registry is told to", async () => {
  const schema = { type: "record", name: "R", fields: [{ name: "a", type: "int", default: "x" }] }
  expect(await api.register("a", schema)).toMatchObject({ status: 200 })
  const strict = await Api.start({ "avro.validate.defaults": "true" })
  expect(await strict.register("a", schema)).toMatchObject(refused(422, 42201))
  await strict.close()
})

test("a schema that is too large is refused", async () => {
  const small = await Api.start({ "schema.bytes.max": "100" })
  expect(await small.register("a", record("x".repeat(60), "y".repeat(60)))).toMatchObject(refused(422, 42209))
  await small.close()
})
