/**
 * Structs and classes -> records; records of string keys -> maps.
 *
 * A field that may be absent, undefined or null is a union with null whose default is null, so that adding and removing
 * such fields stays compatible both ways. Absent, undefined and null are one thing in Avro; what comes back is null
 * where the schema allows null, else absent where it may be absent, else undefined.
 *
 * A class takes plain objects too, as TypeScript does, and always gives instances: they are made from what was decoded
 * without validating it again.
 */
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { UnsupportedSchema } from "../../errors.ts"
import type { AvroField, AvroRecord, AvroType } from "../schema.ts"
import {
  type Compilation,
  failedCheck,
  type Field,
  type Mapping,
  Mismatch,
  type Path,
  placeOf,
  type Struct,
  under,
  within,
} from "./mapping.ts"
import { describedBy, isSymbol, nameOf, nameTaken } from "./names.ts"
import { type Alternatives, alternatives, compileUnion } from "./union.ts"

/** How instances of a class are told and made. */
export interface Instances {
  isInstance(value: unknown): boolean
  make(fields: object): unknown
}

export function compileStruct(
  compilation: Compilation,
  ast: AST.Objects,
  path: Path,
  named: AST.AST,
  instances: Instances | undefined,
): Mapping {
  if (ast.indexSignatures.length > 0) return compileMap(compilation, ast, path)
  const { type, fields } = structOf(compilation, ast, path, named)
  const failed = (value: unknown) => failedCheck(ast, value) ?? (named === ast ? undefined : failedCheck(named, value))
  return {
    type,
    accepts: (value) =>
      isRecord(value) &&
      (instances && !isPlain(value)
        ? instances.isInstance(value)
        : fields.every((field) => acceptsField(field, value))),
    toAvro(value) {
      if (!isRecord(value)) throw new Mismatch(type.name, value)
      const written: Record<string, unknown> = {}
      for (const field of fields) {
        try {
          const given = (field.codec ? encodeField(field, value) : value)[field.name]
          written[field.name] =
            (given === undefined || given === null) && field.nullable ? null : field.mapping.toAvro(given)
        } catch (cause) {
          throw within(cause, field.name)
        }
      }
      const expected = failed(value)
      if (expected !== undefined) throw new Mismatch(expected, value)
      return written
    },
    fromAvro(value) {
      const read: Record<string, unknown> = {}
      for (const field of fields) {
        if (field.codec) Object.assign(read, field.codec.decode(readField(field, value, {})))
        else readField(field, value, read)
      }
      return instances ? instances.make(read) : read
    },
  }
}

/** The record of a struct, compiled once, however often and in whatever guise the struct is met. */
function structOf(compilation: Compilation, ast: AST.Objects, path: Path, named: AST.AST): Struct {
  const node = ast.propertySignatures
  const known = compilation.structs.get(node)
  if (known) return known
  const name = nameOf(named, path)
  if (compilation.named.has(name)) throw nameTaken(name, path)
  const avroFields: AvroField[] = []
  const doc = describedBy(named)
  const type: AvroRecord = {
    type: "record",
    isError: false,
    name,
    aliases: [],
    doc,
    fields: avroFields,
    properties: {},
  }
  const struct: Struct = { type, fields: [] }
  compilation.structs.set(node, struct)
  compilation.named.set(name, { node, type })
  for (const property of node) {
    const field = compileField(compilation, property, { record: name, segments: path.segments })
    struct.fields.push(field)
    avroFields.push(avroField(field, property.type))
  }
  return struct
}

function compileField(compilation: Compilation, property: AST.PropertySignature, path: Path): Field {
  const { name, type } = property
  if (typeof name !== "string" || !isSymbol(name)) {
    throw new UnsupportedSchema(placeOf(path), `Avro cannot name a field ${String(name)}`)
  }
  const absent = type.context?.isOptional ?? false
  const encoded = AST.toEncoded(type)
  if (absent !== (encoded.context?.isOptional ?? false)) {
    const codec = Schema.Struct({ [name]: Schema.make<Schema.Codec<unknown, unknown>>(type as never) })
    return {
      ...compileField(compilation, { name, type: encoded }, path),
      codec: { encode: Schema.encodeUnknownSync(codec), decode: Schema.decodeUnknownSync(codec) },
    }
  }
  const at = under(path, name)
  const found: Alternatives = alternatives(type)
  const nullable = absent || found.hasNull || found.hasUndefined
  const checked = type.checks && found.members.length > 1 ? { checked: type } : {}
  return {
    name,
    mapping: nullable
      ? compileUnion(compilation, { ...found, ...checked, hasNull: true }, at)
      : compilation.compile(type, at),
    nullable,
    whenNull: found.hasNull ? "null" : absent ? "absent" : "undefined",
    codec: undefined,
  }
}

const encodeField = (field: Field, value: Record<string, unknown>): Record<string, unknown> => {
  const alone = Object.hasOwn(value, field.name) ? { [field.name]: value[field.name] } : {}
  return field.codec!.encode(alone) as Record<string, unknown>
}

function readField(field: Field, from: unknown, into: Record<string, unknown>): object {
  const given = (from as Record<string, unknown>)[field.name]
  if (given !== null || !field.nullable) into[field.name] = field.mapping.fromAvro(given)
  else if (field.whenNull !== "absent") into[field.name] = field.whenNull === "null" ? null : undefined
  return into
}

const avroField = (field: Field, ast: AST.AST): AvroField => ({
  name: field.name,
  type: field.mapping.type,
  doc: describedBy(ast),
  default: takesNull(field.mapping.type) ? null : undefined,
  order: "ascending",
  aliases: [],
  properties: {},
})

const takesNull = (type: AvroType): boolean => type.type === "union" && type.branches[0]?.type === "null"

const acceptsField = (field: Field, value: Record<string, unknown>): boolean => {
  const given = value[field.name]
  if (field.codec) return true
  return given === undefined || given === null ? field.nullable : field.mapping.accepts(given)
}

function compileMap(compilation: Compilation, ast: AST.Objects, path: Path): Mapping {
  const [signature, ...others] = ast.indexSignatures
  if (ast.propertySignatures.length > 0 || others.length > 0 || signature!.parameter._tag !== "String") {
    throw new UnsupportedSchema(placeOf(path), "Avro has either records of known fields or maps with string keys")
  }
  const values = compilation.compile(signature!.type, under(path, "value"))
  const each = (value: object, f: (one: unknown) => unknown): object => {
    const mapped: Record<string, unknown> = {}
    for (const [key, one] of Object.entries(value)) {
      try {
        mapped[key] = f(one)
      } catch (cause) {
        throw within(cause, key)
      }
    }
    return mapped
  }
  return {
    type: { type: "map", values: values.type, properties: {} },
    accepts: (value) => isRecord(value) && Object.values(value).every((one) => values.accepts(one)),
    toAvro(value) {
      if (!isRecord(value)) throw new Mismatch("an object", value)
      const failed = failedCheck(ast, value)
      if (failed !== undefined) throw new Mismatch(failed, value)
      return each(value, values.toAvro)
    },
    fromAvro: (value) => each(value as object, values.fromAvro),
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
