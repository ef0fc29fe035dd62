/**
 * Random Avro schemas, changed copies of them, and values of them.
 */
import * as fc from "fast-check"
import { isWrapped, wrap } from "../../src/avro/representation.ts"
import { type AvroType, type Json } from "../../src/avro/schema.ts"

const PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"] as const
type JsonSchema = any

/** Schemas as JSON. Names are drawn from a small pool, so that readers and writers meet under one name. */
export const avroJson: fc.Arbitrary<JsonSchema> = fc
  .integer({ min: 0, max: 2 ** 31 - 1 })
  .map((seed) => new Maker(seed).schema(3))

export interface Evolution {
  readonly writer: JsonSchema
  readonly reader: JsonSchema
}

/** A schema and a neighbour of it: some fields added, dropped, widened, some symbols and branches changed. */
export const evolution: fc.Arbitrary<Evolution> = fc.integer({ min: 0, max: 2 ** 31 - 1 }).map((seed) => {
  const maker = new Maker(seed)
  const writer = maker.record(3)
  return { writer, reader: maker.change(structuredClone(writer)) }
})

/** A small seeded maker: schemas need names that are unique in one schema, which combinators do not give. */
class Maker {
  #state: number
  #names = 0
  constructor(seed: number) {
    this.#state = seed || 1
  }
  int(bound: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % bound
  }
  pick<T>(from: readonly T[]): T {
    return from[this.int(from.length)]!
  }
  schema(depth: number): JsonSchema {
    if (depth <= 0) return this.pick(PRIMITIVES)
    switch (this.int(9)) {
      case 0:
        return this.record(depth - 1)
      case 1:
        return { type: "array", items: this.schema(depth - 1) }
      case 2:
        return { type: "map", values: this.schema(depth - 1) }
      case 3:
        return this.union(depth - 1)
      case 4:
        return this.enumeration()
      case 5:
        return { type: "fixed", name: `F${this.#names++}`, size: 1 + this.int(4) }
      default:
        return this.pick(PRIMITIVES)
    }
  }
  record(depth: number): JsonSchema {
    const name = `R${this.#names++}`
    const count = 1 + this.int(4)
    const fields = Array.from({ length: count }, (_, index) => this.field(`f${index}`, depth, name))
    return { type: "record", name, namespace: this.pick(["a", "b.c", ""]), fields }
  }
  field(name: string, depth: number, record: string): JsonSchema {
    if (this.int(12) === 0) return { name, type: ["null", record], default: null }
    const type = this.schema(depth)
    const field: JsonSchema = { name, type }
    if (type === "int" && this.int(2)) field.default = this.int(100)
    if (type === "string" && this.int(2)) field.default = "fallback"
    if (type === "bytes" && this.int(2)) field.default = "\u00ff\u0000"
    if (Array.isArray(type) && type.includes("null") && this.int(2)) field.default = null
    if (type.type === "array" && this.int(2)) field.default = []
    if (type.type === "enum" && this.int(2)) field.default = type.symbols[0]
    return field
  }
  enumeration(): JsonSchema {
    const symbols = ["A", "B", "C", "D"].slice(0, 1 + this.int(4))
    const made: JsonSchema = { type: "enum", name: `E${this.#names++}`, symbols }
    if (this.int(3) === 0) made.default = symbols[0]
    return made
  }
  union(depth: number): JsonSchema {
    const branches: JsonSchema[] = []
    const seen = new Set<string>()
    for (let index = 0; index < 2 + this.int(3); index++) {
      const branch = this.schema(depth)
      if (Array.isArray(branch)) continue
      const name = branch.name ?? branch.type ?? branch
      if (seen.has(name)) continue
      seen.add(name)
      branches.push(branch)
    }
    return branches.length > 0 ? branches : ["null"]
  }
  change(json: JsonSchema): JsonSchema {
    if (typeof json === "string") return this.int(6) === 0 ? this.widen(json) : json
    if (Array.isArray(json)) {
      const branches = json.map((branch) => this.change(branch)).filter((branch) => !Array.isArray(branch))
      if (this.int(4) === 0) branches.reverse()
      const names = branches.map((branch) => branch.name ?? branch.type ?? branch)
      const unique = branches.filter((_, index) => names.indexOf(names[index]) === index)
      return unique.length > 0 ? unique : json
    }
    switch (json.type) {
      case "record": {
        const fields = json.fields.flatMap((field: JsonSchema) => {
          const roll = this.int(10)
          if (roll === 0) return []
          if (roll === 1) return [{ ...field, name: `${field.name}x`, aliases: [field.name] }]
          const type = this.change(field.type)
          const changed = { ...field, type }
          if (JSON.stringify(type) !== JSON.stringify(field.type)) delete changed.default
          return [changed]
        })
        if (this.int(3) === 0) fields.push({ name: "added", type: ["string", "null"], default: null })
        if (this.int(8) === 0) fields.push({ name: "bare", type: "string" })
        if (this.int(4) === 0) fields.reverse()
        return { ...json, namespace: this.int(4) === 0 ? "moved" : json.namespace, fields: ordered(fields) }
      }
      case "array":
        return { ...json, items: this.change(json.items) }
      case "map":
        return { ...json, values: this.change(json.values) }
      case "enum": {
        const symbols = this.int(3) === 0 ? json.symbols.toReversed().concat("Z") : json.symbols.slice(0, 3)
        return { ...json, symbols, default: json.default && symbols.includes(json.default) ? json.default : undefined }
      }
      case "fixed":
        return this.int(6) === 0 ? { ...json, size: json.size + 1 } : json
      default:
        return json
    }
  }
  widen(name: string): JsonSchema {
    switch (name) {
      case "int":
        return this.pick(["long", "double", ["null", "long"]])
      case "long":
        return this.pick(["float", "double"])
      case "float":
        return "double"
      case "string":
        return this.pick(["bytes", ["null", "string"]])
      case "bytes":
        return "string"
      default:
        return [name, "string"].filter((one, index, all) => all.indexOf(one) === index)
    }
  }
}

/** A field that names its record must come after the record's definition; ours name the enclosing one, always defined. */
const ordered = (fields: JsonSchema[]): JsonSchema[] => fields

/** Random values of a type, in the form of `avro/representation.ts`. */
export function valueOf(type: AvroType, depth = 4): fc.Arbitrary<unknown> {
  switch (type.type) {
    case "null":
      return fc.constant(null)
    case "boolean":
      return fc.boolean()
    case "int":
      return fc.integer()
    case "long":
      return fc.maxSafeInteger()
    case "float":
      return fc.float()
    case "double":
      return fc.double()
    case "bytes":
      return fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes))
    case "string":
      return fc.string({ unit: "grapheme", maxLength: 8 })
    case "fixed":
      return fc.uint8Array({ minLength: type.size, maxLength: type.size }).map((bytes) => Buffer.from(bytes))
    case "enum":
      return fc.constantFrom(...type.symbols)
    case "array":
      return fc.array(lazily(type.items, depth), { maxLength: depth > 0 ? 2 : 0 })
    case "map":
      return fc.dictionary(fc.constantFrom("k", "key two", "ü"), lazily(type.values, depth), {
        maxKeys: depth > 0 ? 2 : 0,
        noNullPrototype: true,
      })
    case "record":
      return fc.record(Object.fromEntries(type.fields.map((field) => [field.name, lazily(field.type, depth)])))
    case "union": {
      const wrapped = isWrapped(type)
      const shallow = depth > 0 ? type.branches : type.branches.slice(0, 1)
      return fc.oneof(
        ...shallow.map((branch) => lazily(branch, depth).map((value) => (wrapped ? wrap(branch, value) : value))),
      )
    }
  }
}

const lazily = (type: AvroType, depth: number): fc.Arbitrary<unknown> =>
  fc.constant(undefined).chain(() => valueOf(type, depth - 1))

export type { Json }
