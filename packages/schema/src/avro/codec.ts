/**
 * Avro values <-> Avro binary, for one schema, through avsc.
 *
 * avsc is given what decides the bytes and no more: full names, fields, symbols, sizes, and defaults where it accepts
 * them (it holds the default of a union to its first branch). How values look is told in `avro/representation.ts`.
 *
 * Buffers: `encode` writes into one scratch buffer of the process and answers a copy. `decode` copies bytes and fixed.
 */
import avsc from "avsc"
import { SerdeError } from "../errors.ts"
import { describe, reasonOf } from "../explain.ts"
import { isValidDefault } from "./defaults.ts"
import { safeLong } from "./long.ts"
import { type AvroType, isNamed } from "./schema.ts"

export interface AvroCodec {
  readonly type: AvroType
  /** The value's bytes after `prefix`. Throws a SerdeError that says which part of the value does not fit. */
  encode(value: unknown, prefix: Uint8Array): Uint8Array
  /** The value in `bytes` from `offset` to the end. */
  decode(bytes: Uint8Array, offset: number): unknown
}

const SCRATCH_BYTES = 64 * 1024
let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)

export function avroCodec(name: string, type: AvroType): AvroCodec {
  const compiled = avsc.Type.forSchema(physical(new Set(), type) as avsc.Schema, forSchemaOptions())
  return {
    type,
    encode(value, prefix) {
      try {
        let end = compiled.encode(value, scratch, prefix.length)
        if (end < 0) {
          scratch = Buffer.allocUnsafeSlow(scratch.length - end + prefix.length)
          end = compiled.encode(value, scratch, prefix.length)
        }
        scratch.set(prefix, 0)
        const encoded = Buffer.allocUnsafe(end)
        scratch.copy(encoded, 0, 0, end)
        return encoded
      } catch (cause) {
        throw new SerdeError(name, misfit(compiled, value) ?? reasonOf(cause), cause)
      } finally {
        if (scratch.length > SCRATCH_BYTES * 16) scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
      }
    },
    decode(bytes, offset) {
      const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      let decoded: { value: unknown; offset: number }
      try {
        decoded = compiled.decode(buffer, offset) as { value: unknown; offset: number }
      } catch (cause) {
        throw new SerdeError(name, `the bytes do not decode: ${reasonOf(cause)}`, cause)
      }
      if (decoded.offset !== bytes.length) {
        const reason =
          decoded.offset < 0 ? "they end too early" : `${bytes.length - decoded.offset} bytes are left over`
        throw new SerdeError(name, `the bytes do not decode: ${reason}`)
      }
      return decoded.value
    },
  }
}

/** All names are full already: avsc must not put the enclosing namespace before one that has none. */
function forSchemaOptions(): Partial<avsc.ForSchemaOptions> {
  const registry: Record<string, avsc.Type> = {}
  return {
    registry,
    omitRecordMethods: true,
    typeHook: (schema: unknown) =>
      typeof schema === "string" ? (schema === "long" ? safeLong : registry[schema]) : undefined,
  } as Partial<avsc.ForSchemaOptions>
}

function misfit(compiled: avsc.Type, value: unknown): string | undefined {
  let found: string | undefined
  compiled.isValid(value, {
    errorHook(path: string[], part: unknown, expected: avsc.Type) {
      found ??= `${path.length > 0 ? `${path.join(".")}: ` : ""}expected ${nameOf(expected)}, got ${describe(part)}`
    },
  } as Parameters<avsc.Type["isValid"]>[1])
  return found
}

const nameOf = (type: avsc.Type): string => type.name ?? type.typeName.replace(/^.*:/, "")

function physical(defined: Set<string>, type: AvroType): unknown {
  if (isNamed(type)) {
    if (defined.has(type.name)) return type.name
    defined.add(type.name)
  }
  switch (type.type) {
    case "union":
      return type.branches.map((branch) => physical(defined, branch))
    case "array":
      return { type: "array", items: physical(defined, type.items) }
    case "map":
      return { type: "map", values: physical(defined, type.values) }
    case "enum":
      return { type: "enum", ...nameAlone(type.name), symbols: type.symbols }
    case "fixed":
      return { type: "fixed", ...nameAlone(type.name), size: type.size }
    case "record":
      return {
        type: "record",
        ...nameAlone(type.name),
        fields: type.fields.map((field) => {
          const printed = { name: field.name, type: physical(defined, field.type) }
          const judge = field.type.type === "union" ? field.type.branches[0] : field.type
          const keep = field.default !== undefined && judge !== undefined && isValidDefault(judge, field.default)
          return keep && simple(judge) ? { ...printed, default: field.default } : printed
        }),
      }
    default:
      return type.type
  }
}

const nameAlone = (name: string) => (name.includes(".") ? { name } : { name, namespace: "" })

/** Defaults of nested records and unions mean different things to different parsers: avsc gets the plain ones. */
const simple = (type: AvroType): boolean =>
  type.type !== "record" && type.type !== "union" && type.type !== "array" && type.type !== "map"
    ? true
    : type.type === "array"
      ? simple(type.items)
      : type.type === "map" && simple(type.values)
