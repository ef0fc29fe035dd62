/**
 * Where the checker says compatible, the reader's schema accepts what the writer's accepts: judged by ajv on small values.
 */
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { jsonIncompatibilities } from "../../src/json-schema/compatibility.ts"
import { type JsonSchema, jsonValidator } from "../../src/json-schema/validate.ts"

const optional = <T extends object>(key: string, values: fc.Arbitrary<unknown>): fc.Arbitrary<T> =>
  fc.option(values, { nil: undefined }).map((value) => (value === undefined ? {} : { [key]: value }) as T)

const merged = (...parts: fc.Arbitrary<object>[]): fc.Arbitrary<object> =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all))

const bound = fc.integer({ min: 0, max: 3 })
const { schema } = fc.letrec<{ schema: JsonSchema; inner: JsonSchema }>((tie) => ({
  schema: fc.oneof({ depthSize: "small", withCrossShrink: true }, tie("inner"), {
    weight: 2,
    arbitrary: merged(
      fc.constant({ type: "object" }),
      optional(
        "properties",
        fc.dictionary(fc.constantFrom("a", "b"), tie("schema"), { maxKeys: 2, noNullPrototype: true }),
      ),
      optional("required", fc.subarray(["a", "b"])),
      optional("additionalProperties", fc.oneof(fc.boolean(), tie("inner"))),
      optional("maxProperties", bound),
    ) as fc.Arbitrary<JsonSchema>,
  }),
  inner: fc.oneof(
    fc.constantFrom<JsonSchema>(true, { type: "null" }, { type: ["string", "integer"] }, { not: { type: "string" } }),
    merged(
      fc.constantFrom({ type: "number" }, { type: "integer" }),
      optional("maximum", bound),
      optional("multipleOf", fc.constantFrom(1, 2)),
    ) as fc.Arbitrary<JsonSchema>,
    merged(
      fc.constant({ type: "string" }),
      optional("maxLength", bound),
      optional("minLength", bound),
    ) as fc.Arbitrary<JsonSchema>,
    fc.subarray([1, 2, "a", null], { minLength: 1 }).map((values): JsonSchema => ({ enum: values })),
    merged(
      fc.constant({ type: "array" }),
      optional("items", tie("schema")),
      optional("maxItems", bound),
    ) as fc.Arbitrary<JsonSchema>,
    fc.array(tie("schema"), { minLength: 1, maxLength: 2 }).map((parts): JsonSchema => ({ anyOf: parts })),
    fc.array(tie("schema"), { minLength: 1, maxLength: 2 }).map((parts): JsonSchema => ({ allOf: parts })),
  ),
}))

const leafs = [null, true, 0, 1, 2, 4, 1.5, "", "a", "abc"]
const values: unknown[] = [
  ...leafs,
  ...leafs.map((leaf) => [leaf]),
  [1, "a", null],
  {},
  ...leafs.flatMap((leaf) => [{ a: leaf }, { a: leaf, b: 1 }, { b: leaf, c: "x" }, { a: { a: leaf } }, { a: [leaf] }]),
]

test("a schema reads what it describes", () => {
  fc.assert(
    fc.property(schema, (schema) => {
      expect(jsonIncompatibilities(structuredClone(schema), schema)).toEqual([])
    }),
  )
})

test("where the checker says compatible, no accepted value is refused", () => {
  let compatible = 0
  fc.assert(
    fc.property(schema, schema, (reader, writer) => {
      if (jsonIncompatibilities(reader, writer).length > 0) return
      compatible++
      const isWritten = jsonValidator(writer)
      const isRead = jsonValidator(reader)
      for (const value of values)
        if (isWritten(value) === undefined) expect([value, isRead(value)]).toEqual([value, undefined])
    }),
    { numRuns: 300 },
  )
  expect(compatible).toBeGreaterThan(10)
})
