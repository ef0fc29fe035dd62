import { describe, expect, test } from "vitest"
import { decodeRecord, encodeKey, encodeValue, type RegistryRecord } from "../src/record/record.ts"

const version = { subject: "s", version: 2, id: 7, schema: '"int"', deleted: false }
const cases: [RegistryRecord, string, string | null][] = [
  [
    { keytype: "SCHEMA", subject: "s", version: 2, value: version },
    '{"keytype":"SCHEMA","subject":"s","version":2,"magic":1}',
    '{"subject":"s","version":2,"id":7,"schema":"\\"int\\"","deleted":false}',
  ],
  [
    { keytype: "SCHEMA", subject: "s", version: 2, value: null },
    '{"keytype":"SCHEMA","subject":"s","version":2,"magic":1}',
    null,
  ],
  [
    { keytype: "CONFIG", subject: "s", value: { compatibilityLevel: "FULL" } },
    '{"keytype":"CONFIG","subject":"s","magic":0}',
    '{"subject":"s","compatibilityLevel":"FULL"}',
  ],
  [
    { keytype: "CONFIG", subject: null, value: { compatibilityLevel: "NONE" } },
    '{"keytype":"CONFIG","subject":null,"magic":0}',
    '{"compatibilityLevel":"NONE"}',
  ],
  [
    { keytype: "MODE", subject: "s", value: { mode: "IMPORT" } },
    '{"keytype":"MODE","subject":"s","magic":0}',
    '{"subject":"s","mode":"IMPORT"}',
  ],
  [
    { keytype: "DELETE_SUBJECT", subject: "s", value: { version: 3 } },
    '{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}',
    '{"subject":"s","version":3}',
  ],
  [
    { keytype: "CLEAR_SUBJECT", subject: "s", value: {} },
    '{"keytype":"CLEAR_SUBJECT","subject":"s","magic":0}',
    '{"subject":"s"}',
  ],
  [
    { keytype: "CONTEXT", context: ".c", value: {} },
    '{"keytype":"CONTEXT","tenant":"default","context":".c","magic":0}',
    '{"tenant":"default","context":".c"}',
  ],
  [{ keytype: "NOOP" }, '{"keytype":"NOOP","magic":0}', null],
]

describe("records have one text and come back from it", () => {
  test.each(cases)("%j", (record, key, value) => {
    expect(encodeKey(record)).toBe(key)
    expect(encodeValue(record)).toBe(value)
    expect(decodeRecord(key, value)).toEqual(record)
  })
})

describe("records of other registries", () => {
  test("keys in another order, values with more in them", () => {
    const value = { ...version, schemaType: "AVRO", references: [], md5: "x", guid: "y", ts: 1 }
    expect(decodeRecord('{"subject":"s","version":2,"magic":1,"keytype":"SCHEMA"}', JSON.stringify(value))).toEqual({
      keytype: "SCHEMA",
      subject: "s",
      version: 2,
      value: version,
    })
  })
  test("a setting of the registry without a subject", () => {
    expect(decodeRecord('{"keytype":"CONFIG","magic":0}', '{"compatibilityLevel":"FULL"}')).toMatchObject({
      subject: null,
    })
  })
  test("an empty value is a deletion", () => {
    expect(decodeRecord('{"keytype":"CONFIG","subject":"s","magic":0}', "")).toMatchObject({ value: null })
  })
  test("a type of record that is not known is passed over", () => {
    expect(decodeRecord('{"keytype":"ASSOC","magic":0}', "{}")).toBeUndefined()
  })
  test("what cannot be read is an error", () => {
    expect(() => decodeRecord("nonsense", null)).toThrow()
    expect(() => decodeRecord('{"keytype":"SCHEMA","subject":"s","version":2}', '{"subject":"s"}')).toThrow(/missing/)
  })
})
