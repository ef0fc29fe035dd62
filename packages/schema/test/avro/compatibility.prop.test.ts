import * as fc from "fast-check"
import { expect, test } from "vitest"
import { avroCodec } from "../../src/avro/codec.ts"
import { avroIncompatibilities, canRead } from "../../src/avro/compatibility.ts"
import { parseAvroJson } from "../../src/avro/parse.ts"
import { parsingCanonicalForm, print } from "../../src/avro/print.ts"
import { project } from "../../src/avro/project.ts"
import { avroJson, evolution, valueOf } from "./arbitrary.ts"

const NOTHING = new Uint8Array()

test("a schema reads what it wrote itself", () => {
  fc.assert(
    fc.property(avroJson, (json) => {
      const { type } = parseAvroJson(json)
      const again = parseAvroJson(JSON.parse(JSON.stringify(json))).type
      expect(avroIncompatibilities(type, again)).toEqual([])
    }),
  )
})

test("printing and parsing keep the schema", () => {
  fc.assert(
    fc.property(avroJson, (json) => {
      const { type } = parseAvroJson(json)
      const printed = parseAvroJson(JSON.parse(print(type))).type
      expect(print(printed)).toBe(print(type))
      // The canonical form cannot say that a nested type has no namespace.
      if (JSON.stringify(json).includes('"namespace":""')) return
      const canonical = parseAvroJson(JSON.parse(parsingCanonicalForm(type))).type
      expect(parsingCanonicalForm(canonical)).toBe(parsingCanonicalForm(type))
    }),
  )
})

test("every value survives the binary round trip", () => {
  fc.assert(
    fc.property(
      avroJson.chain((json) => fc.tuple(fc.constant(json), valueOf(parseAvroJson(json).type))),
      ([json, value]) => {
        const codec = avroCodec("test", parseAvroJson(json).type)
        expect(codec.decode(codec.encode(value, NOTHING), 0)).toEqual(value)
      },
    ),
    { numRuns: 300 },
  )
})

test("where the checker says compatible, everything that was written can be read", () => {
  let compatible = 0
  let changed = 0
  fc.assert(
    fc.property(
      evolution.chain(({ writer, reader }) =>
        fc.tuple(fc.constant({ writer, reader }), valueOf(parseAvroJson(writer).type)),
      ),
      ([json, value]) => {
        const writer = parseAvroJson(json.writer).type
        const reader = parseAvroJson(json.reader).type
        if (!canRead(reader, writer)) return
        compatible++
        if (parsingCanonicalForm(reader) !== parsingCanonicalForm(writer)) changed++
        const written = avroCodec("writer", writer).decode(avroCodec("writer", writer).encode(value, NOTHING), 0)
        const read = (project("reader", reader, writer) ?? ((same) => same))(written)
        // What was read is a value of the reader's schema: it can be written with it, and read back unchanged.
        const codec = avroCodec("reader", reader)
        expect(codec.decode(codec.encode(read, NOTHING), 0)).toEqual(read)
      },
    ),
    { numRuns: 1000 },
  )
  // The generator must not make the property empty.
  expect(compatible).toBeGreaterThan(100)
  expect(changed).toBeGreaterThan(50)
})
