/**
 * An Avro schema as a graph: names are resolved, so a recursive record points to itself.
 *
 * `avro/parse.ts` is the only maker; nobody changes a schema afterwards. `properties` holds every attribute that the
 * specification does not define (and `logicalType` with its parameters, which it leaves to the reader).
 *
 * Spec: Apache Avro 1.12, "Schema Declaration".
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export type PrimitiveName = "null" | "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string"

export interface AvroPrimitive {
  readonly type: PrimitiveName
  readonly properties: Properties
}

export interface AvroRecord extends AvroNamed {
  readonly type: "record"
  /** Declared with `"type": "error"`: an error of a protocol, otherwise a record like any other. */
  readonly isError: boolean
  readonly fields: readonly AvroField[]
}

export interface AvroField {
  readonly name: string
  readonly type: AvroType
  readonly doc: string | undefined
  /** The default as JSON; undefined when there is none (`null` is one). */
  readonly default: Json | undefined
  readonly order: "ascending" | "descending" | "ignore"
  readonly aliases: readonly string[]
  readonly properties: Properties
}

export interface AvroEnum extends AvroNamed {
  readonly type: "enum"
  readonly symbols: readonly string[]
  readonly default: string | undefined
}

export interface AvroFixed extends AvroNamed {
  readonly type: "fixed"
  readonly size: number
}

export interface AvroArray {
  readonly type: "array"
  readonly items: AvroType
  readonly properties: Properties
}

export interface AvroMap {
  readonly type: "map"
  readonly values: AvroType
  readonly properties: Properties
}

export interface AvroUnion {
  readonly type: "union"
  readonly branches: readonly AvroType[]
}

export interface AvroNamed {
  /** The full name: namespace, dot, short name; the short name alone when there is no namespace. */
  readonly name: string
  /** Full names. */
  readonly aliases: readonly string[]
  readonly doc: string | undefined
  readonly properties: Properties
}

export type AvroNamedType = AvroRecord | AvroEnum | AvroFixed
export type AvroType = AvroPrimitive | AvroNamedType | AvroArray | AvroMap | AvroUnion
export type Properties = Readonly<Record<string, Json>>

/** Named types by full name. */
export type Names = ReadonlyMap<string, AvroNamedType>

export const isNamed = (type: AvroType): type is AvroNamedType =>
  type.type === "record" || type.type === "enum" || type.type === "fixed"

export const shortName = (fullName: string): string => fullName.slice(fullName.lastIndexOf(".") + 1)

/** The namespace of a full name; empty when it has none. */
export const namespaceOf = (fullName: string): string => fullName.slice(0, Math.max(0, fullName.lastIndexOf(".")))

/** How a union names this type among its branches: the full name of a named type, else the kind. */
export const branchName = (type: AvroType): string => (isNamed(type) ? type.name : type.type)
