/**
 * Random Effect schemas with random values: what is encoded decodes to an equal value, the schema itself is Avro that
 * parses, and a later version with one more optional field reads it too.
 */
import { Schema } from "effect"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { parseAvro } from "../../../src/avro/parse.ts"
import { print } from "../../../src/avro/print.ts"
import { avro, UnknownSchemaId } from "../../../src/index.ts"
import { MemoryRegistry } from "../../memory-registry.ts"

interface Shape {
  readonly schema: Schema.Codec<any, any>
  readonly values: fc.Arbitrary<unknown>
}

const leaf = (schema: Schema.Codec<any, any>, values: fc.Arbitrary<unknown>): fc.Arbitrary<Shape> =>
  fc.constant({ schema, values })

const millis = fc.integer({ min: -1e12, max: 4e12 })
const leafs = fc.oneof(
  leaf(Schema.String, fc.string({ unit: "grapheme" })),
  leaf(Schema.Boolean, fc.boolean()),
  leaf(Schema.Number, fc.double()),
  leaf(Schema.Int, fc.maxSafeInteger()),
  leaf(Schema.Int.check(Schema.isInt32()), fc.integer()),
  leaf(
    Schema.Uint8Array,
    fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes)),
  ),
  leaf(
    Schema.Date,
    millis.map((time) => new Date(time)),
  ),
  leaf(Schema.Literals(["red", "green"]), fc.constantFrom("red", "green")),
  leaf(Schema.Union([Schema.String, Schema.Boolean]), fc.oneof(fc.string(), fc.boolean())),
)

let named = 0
const fieldsOf = (inner: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> =>
  fc
    .array(fc.tuple(inner, fc.constantFrom("required", "optional", "nullable")), { minLength: 1, maxLength: 4 })
    .map((fields) => {
      const schemas: Record<string, Schema.Codec<any, any>> = {}
      const values: Record<string, fc.Arbitrary<unknown>> = {}
      for (const [index, [shape, kind]] of fields.entries()) {
        const name = `f${index}`
        schemas[name] =
          kind === "optional"
            ? Schema.optionalKey(shape.schema)
            : kind === "nullable"
              ? Schema.NullOr(shape.schema)
              : shape.schema
        values[name] = kind === "nullable" ? fc.option(shape.values) : shape.values
      }
      class Row extends Schema.Class<Row>(`Row${named++}`)(schemas) {}
      const requiredKeys = fields.flatMap(([, kind], index) => (kind === "optional" ? [] : [`f${index}`]))
      return { schema: Row, values: fc.record(values, { requiredKeys }).map((fields) => new Row(fields as never)) }
    })

const { row } = fc.letrec<{ row: Shape; shape: Shape }>((tie) => ({
  row: fieldsOf(tie("shape")),
  shape: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leafs,
    tie("row"),
    tie("shape").map(({ schema, values }) => ({
      schema: Schema.Array(schema),
      values: fc.array(values, { maxLength: 3 }),
    })),
    tie("shape").map(({ schema, values }) => ({
      schema: Schema.Record(Schema.String, schema),
      values: fc.dictionary(
        fc.string({ maxLength: 3 }).filter((key) => key !== "__proto__"),
        values,
        { maxKeys: 3, noNullPrototype: true },
      ),
    })),
  ),
}))

const rowsWithValue = row.chain((shape) => fc.tuple(fc.constant(shape), shape.values))

test("what is encoded decodes to an equal value", () => {
  fc.assert(
    fc.property(rowsWithValue, ([{ schema }, value]) => {
      const serde = avro(schema)
      expect(print(parseAvro(serde.schema, { validateDefaults: true }).type)).toBe(serde.schema)
      expect(serde.decode(serde.encode(value))).toStrictEqual(value)
    }),
    { numRuns: 300 },
  )
})

test("a version with one more optional field reads what the first wrote", async () => {
  await fc.assert(
    fc.asyncProperty(rowsWithValue, async ([{ schema }, value]) => {
      const first = schema as unknown as { readonly fields: Schema.Struct.Fields; readonly identifier: string }
      const later = Schema.Struct({ ...first.fields, added: Schema.NullOr(Schema.Int) }).annotate({
        identifier: first.identifier,
      })
      const registry = new MemoryRegistry()
      const at = { registry, topic: "t", isKey: false }
      const writer = await avro(schema).bind(at)
      const reader = await avro(later as unknown as Schema.Codec<any, any>).bind(at)
      const bytes = writer.encode(value)
      try {
        reader.decode(bytes)
      } catch (error) {
        if (!(error instanceof UnknownSchemaId)) throw error
        await error.resolve()
      }
      expect(reader.decode(bytes)).toEqual({ ...(value as object), added: null })
    }),
    { numRuns: 100 },
  )
})
