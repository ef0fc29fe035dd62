/**
 * The vocabulary of the message table. One builder call is one field of one of Kafka's messages:
 *
 *   topicId: uuid("13+", { ignorable: true }),
 *   topics: structs("0+", { nullable: "1+" }, { name: string("0+"), … }),
 *
 * The first argument says in which versions the field exists. Order is wire order. A field of an absent version decodes
 * to its default: the one given, else 0, false, "", no bytes, an empty array, a struct of defaults.
 *
 * Types flow from the literals: the third type argument of `Field` says whether an encoder may leave the field out
 * (true when it has a default, is tagged, or is missing in some versions).
 */
import type { DecodedFields, EncodableFields } from "./infer.ts"
import type { Uuid } from "../bytes/uuid.ts"

export type ScalarType =
  | "bool"
  | "int8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "float64"
  | "uuid"
  | "string"
  | "bytes"
  | "records"

export interface FieldOptions {
  /** Versions in which null is allowed. */
  readonly nullable?: string
  /** Value of a field that is absent; also what a tagged field is not written for. */
  readonly default?: number | boolean | string | null
  /** Tag number: the field travels in the tagged section (KIP-482) in the versions of `tagged`, else of the field. */
  readonly tag?: number
  readonly tagged?: string
  /** A value other than the default may be dropped silently when the version lacks the field. */
  readonly ignorable?: boolean
  /** Versions in which the field uses compact forms, when other than the message's. */
  readonly flexible?: string
}

export interface Field<D = unknown, E = D, Optional extends boolean = boolean> extends FieldOptions {
  readonly type: ScalarType | "struct" | "array"
  readonly versions: string
  /** Element type of an array. */
  readonly element?: ScalarType | "struct"
  /** Fields of a struct, or of an array's structs. */
  readonly fields?: Fields
  /** Types only; never present. */
  readonly phantom?: { readonly decoded: D; readonly encodable: E; readonly optional: Optional }
}

export interface Fields {
  // oxlint-disable-next-line typescript/no-explicit-any -- a field of any type; `unknown` would refuse all of them
  readonly [name: string]: Field<any, any, boolean>
}

// oxlint-disable-next-line typescript/no-empty-object-type -- the type of options that were left out
type None = {}
type Nullable<T, O> = O extends { readonly nullable: string } ? T | null : T
type IsOptional<V, O> = V extends "0+"
  ? O extends { readonly default: unknown } | { readonly tag: number }
    ? true
    : false
  : true
type Built<T, E, V, O> = Field<Nullable<T, O>, Nullable<E, O>, IsOptional<V, O>>
type Scalar<T> = <const V extends string, O extends FieldOptions = None>(versions: V, options?: O) => Built<T, T, V, O>

function scalar<T>(type: ScalarType): Scalar<T> {
  return ((versions: string, options?: FieldOptions) => ({ type, versions, ...options })) as Scalar<T>
}

function arrayOf<T>(element: ScalarType): Scalar<T[]> {
  return ((versions: string, options?: FieldOptions) => ({ type: "array", element, versions, ...options })) as Scalar<
    T[]
  >
}

export const bool = scalar<boolean>("bool")
export const int8 = scalar<number>("int8")
export const int16 = scalar<number>("int16")
export const uint16 = scalar<number>("uint16")
export const int32 = scalar<number>("int32")
export const uint32 = scalar<number>("uint32")
/** A safe integer, or INT64_MAX / INT64_MIN. */
export const int64 = scalar<number>("int64")
export const float64 = scalar<number>("float64")
export const uuid = scalar<Uuid>("uuid")
export const string = scalar<string>("string")
/** Decodes to a view of the received buffer. */
export const bytes = scalar<Uint8Array>("bytes")
/** Record batches: decode to a view, encode without a copy when large. */
export const records = scalar<Uint8Array>("records")

export const int8s = arrayOf<number>("int8")
export const int16s = arrayOf<number>("int16")
export const int32s = arrayOf<number>("int32")
export const int64s = arrayOf<number>("int64")
export const strings = arrayOf<string>("string")
export const uuids = arrayOf<Uuid>("uuid")

export function struct<const V extends string, F extends Fields>(
  versions: V,
  fields: F,
): Built<DecodedFields<F>, EncodableFields<F>, V, None>
export function struct<const V extends string, O extends FieldOptions, F extends Fields>(
  versions: V,
  options: O,
  fields: F,
): Built<DecodedFields<F>, EncodableFields<F>, V, O>
export function struct(versions: string, a: FieldOptions | Fields, b?: Fields): Field {
  return b === undefined
    ? { type: "struct", versions, fields: a as Fields }
    : { type: "struct", versions, fields: b, ...(a as FieldOptions) }
}

export function structs<const V extends string, F extends Fields>(
  versions: V,
  fields: F,
): Built<DecodedFields<F>[], EncodableFields<F>[], V, None>
export function structs<const V extends string, O extends FieldOptions, F extends Fields>(
  versions: V,
  options: O,
  fields: F,
): Built<DecodedFields<F>[], EncodableFields<F>[], V, O>
export function structs(versions: string, a: FieldOptions | Fields, b?: Fields): Field {
  return b === undefined
    ? { type: "array", element: "struct", versions, fields: a as Fields }
    : { type: "array", element: "struct", versions, fields: b, ...(a as FieldOptions) }
}
