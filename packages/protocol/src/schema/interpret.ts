/**
 * The slow reference codec: walks a plan field by field. It is the oracle that the compiled codec is tested against,
 * the way out where evaluating code is forbidden, and the one that explains: it knows the path of the field it is at,
 * so after any failure of the compiled codec the same input runs through here to say what is wrong.
 */
import { WireFault } from "../bytes/fault.ts"
import type { Reader } from "../bytes/reader.ts"
import type { Writer } from "../bytes/writer.ts"
import type { ScalarType } from "./field.ts"
import { absence, defaultOf, elementBytesMin, isDefault, type PlannedField, type PlannedStruct } from "./plan.ts"

type Struct = Record<string, unknown>

/** A fault with the path of the field it happened in, built up on the way out. */
export class LocatedFault extends Error {
  override readonly name = "LocatedFault"
  readonly reason: string
  readonly offset: number
  path: string

  constructor(reason: string, offset: number, path: string) {
    super(reason)
    this.reason = reason
    this.offset = offset
    this.path = path
  }
}

function located(error: unknown, part: string): unknown {
  if (error instanceof WireFault) return new LocatedFault(error.reason, error.offset, part)
  if (error instanceof LocatedFault)
    error.path = error.path.startsWith("[") ? part + error.path : `${part}.${error.path}`
  return error
}

export function interpretDecode(plan: PlannedStruct, reader: Reader): Struct {
  const value: Struct = {}
  for (const field of plan.fields) {
    try {
      value[field.name] = field.present && field.tag < 0 ? readField(field, reader) : defaultOf(field)
    } catch (error) {
      throw located(error, field.name)
    }
  }
  if (plan.flexible) readTags(plan, reader, value)
  return value
}

function readTags(plan: PlannedStruct, reader: Reader, value: Struct): void {
  try {
    for (let left = reader.uvarint(); left > 0; left--) {
      const tag = reader.uvarint()
      const size = reader.uvarint()
      const field = plan.tagged.find((known) => known.tag === tag)
      if (field === undefined) reader.take(size)
      else value[field.name] = readTag(field, reader, size)
    }
  } catch (error) {
    throw error instanceof LocatedFault ? error : located(error, "(tagged fields)")
  }
}

function readTag(field: PlannedField, reader: Reader, size: number): unknown {
  try {
    const start = reader.pos
    const value = readField(field, reader)
    reader.endTag(start, size)
    return value
  } catch (error) {
    throw located(error, field.name)
  }
}

function readField(field: PlannedField, reader: Reader): unknown {
  if (field.type === "array") return readArray(field, reader)
  if (field.type === "struct") {
    if (field.nullable && !reader.presence(absence(field))) return null
    return interpretDecode(field.struct!, reader)
  }
  return readScalar(field.type, field.compact, field.nullable, reader)
}

function readArray(field: PlannedField, reader: Reader): unknown[] | null {
  const count = readLength(field, reader)
  if (count < 0) return null
  const array: unknown[] = []
  for (let i = 0; i < count; i++) {
    try {
      array.push(
        field.element === "struct"
          ? interpretDecode(field.struct!, reader)
          : readScalar(field.element!, field.compact, false, reader),
      )
    } catch (error) {
      throw located(error, `[${i}]`)
    }
  }
  return array
}

function readLength(field: PlannedField, reader: Reader): number {
  const size = elementBytesMin(field)
  if (field.compact) return field.nullable ? reader.compactNullableLength(size) : reader.compactLength(size)
  return field.nullable ? reader.nullableLength(size) : reader.length(size)
}

function readScalar(type: ScalarType, compact: boolean, nullable: boolean, reader: Reader): unknown {
  if (type === "string") {
    if (compact) return nullable ? reader.compactNullableString() : reader.compactString()
    return nullable ? reader.nullableString() : reader.string()
  }
  if (type === "bytes" || type === "records") {
    if (compact) return nullable ? reader.compactNullableBytesOf() : reader.compactBytesOf()
    return nullable ? reader.nullableBytesOf() : reader.bytesOf()
  }
  return reader[type]()
}

export function interpretEncode(plan: PlannedStruct, writer: Writer, value: Struct): void {
  if (typeof value !== "object" || value === null) writer.fail("not an object")
  for (const field of plan.fields) {
    try {
      if (!field.present) {
        if (!field.ignorable && !isDefault(field, value[field.name])) {
          writer.fail("this version has no such field and its value is not the default")
        }
      } else if (field.tag < 0) writeField(field, writer, given(field, value))
    } catch (error) {
      throw located(error, field.name)
    }
  }
  if (plan.flexible) writeTags(plan, writer, value)
}

function writeTags(plan: PlannedStruct, writer: Writer, value: Struct): void {
  const set = plan.tagged.filter((field) => !isDefault(field, value[field.name]))
  writer.uvarint(set.length)
  for (const field of set) {
    const start = writer.beginTag(field.tag)
    try {
      writeField(field, writer, value[field.name])
    } catch (error) {
      throw located(error, field.name)
    }
    writer.endTag(start)
  }
}

function given(field: PlannedField, value: Struct): unknown {
  const part = value[field.name]
  return part === undefined && field.optional ? defaultOf(field) : part
}

function writeField(field: PlannedField, writer: Writer, value: unknown): void {
  if (field.type === "array") writeArray(field, writer, value)
  else if (field.type !== "struct") writeScalar(field.type, field.compact, field.nullable, writer, value)
  else {
    if (field.nullable) writer.int8(value === null ? absence(field) : 1)
    if (value !== null || !field.nullable) interpretEncode(field.struct!, writer, value as Struct)
  }
}

function writeArray(field: PlannedField, writer: Writer, value: unknown): void {
  if (value === null && field.nullable) {
    writer.arrayLength(-1, field.compact)
    return
  }
  if (!Array.isArray(value)) writer.fail("not an array")
  writer.arrayLength(value.length, field.compact)
  for (let i = 0; i < value.length; i++) {
    try {
      if (field.element === "struct") interpretEncode(field.struct!, writer, value[i])
      else writeScalar(field.element!, field.compact, false, writer, value[i])
    } catch (error) {
      throw located(error, `[${i}]`)
    }
  }
}

function writeScalar(type: ScalarType, compact: boolean, nullable: boolean, writer: Writer, value: unknown): void {
  // The writer checks the type of what it is given; `never` only satisfies the union of its parameters.
  const x = value as never
  if (type === "string") {
    if (compact) return nullable ? writer.compactNullableString(x) : writer.compactString(x)
    return nullable ? writer.nullableString(x) : writer.string(x)
  }
  if (type === "bytes") {
    if (compact) return nullable ? writer.compactNullableBytesOf(x) : writer.compactBytesOf(x)
    return nullable ? writer.nullableBytesOf(x) : writer.bytesOf(x)
  }
  if (type === "records") {
    if (compact) return nullable ? writer.compactNullableRecords(x) : writer.compactRecords(x)
    return nullable ? writer.nullableRecords(x) : writer.records(x)
  }
  writer[type](x)
}
