/**
 * Effect schema -> Avro: one definition yields the TypeScript type, the Avro schema and the check on encode.
 *
 *   Class, Struct            record                     Record(String, V)      map
 *   optional, NullOr, …      union with null            Array, NonEmptyArray   array
 *   String, template         string                     Literals of strings    enum
 *   Int                      long (int if isInt32)      Number                 double
 *   Boolean                  boolean                    Union, Option          union
 *   Uint8Array               bytes                      Date, DateTimeUtc      long, timestamp-millis
 *
 * A schema with a transformation (DateFromString) is written in its encoded form; any other declared type (Duration,
 * BigDecimal, bigint, URL …) in its JSON form. What has no form is refused when the serde is made, with the path to it.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { SerdeError, UnsupportedSchema } from "../../errors.ts"
import { reasonOf } from "../../explain.ts"
import type { AvroType, PrimitiveName } from "../schema.ts"
import {
  type Compilation,
  failedCheck,
  leaf,
  type Mapping,
  Mismatch,
  type Path,
  placeOf,
  same,
  under,
  within,
} from "./mapping.ts"
import { compileStruct, type Instances } from "./struct.ts"
import { alternatives, compileEnum, compileUnion } from "./union.ts"
import { isSymbol } from "./names.ts"

export interface EffectAvro<T> {
  readonly type: AvroType
  /** Throws a SerdeError that says which part of the value its schema refuses. */
  toAvro(value: T): unknown
  fromAvro(value: unknown): T
}

export function fromEffect<T>(name: string, schema: Schema.Codec<T, any>): EffectAvro<T> {
  const compilation: Compilation = {
    compile: (ast, path) => compile(compilation, ast, path),
    named: new Map(),
    structs: new Map(),
  }
  const mapping = compile(compilation, schema.ast, { record: undefined, segments: [] })
  return {
    type: mapping.type,
    toAvro(value) {
      try {
        return mapping.toAvro(value)
      } catch (cause) {
        const place = cause instanceof Mismatch && cause.segments.length > 0 ? `${cause.segments.join(".")}: ` : ""
        throw new SerdeError(name, `${place}${reasonOf(cause)}`, cause)
      }
    },
    fromAvro: (value) => mapping.fromAvro(value) as T,
  }
}

const primitive = (type: PrimitiveName): AvroType => ({ type, properties: {} })
const TIMESTAMP: AvroType = { type: "long", properties: { logicalType: "timestamp-millis" } }

function compile(compilation: Compilation, ast: AST.AST, path: Path): Mapping {
  if (ast.encoding) {
    return compileClass(compilation, ast, path) ?? compileTransformation(compilation, ast, AST.toEncoded(ast), path)
  }
  switch (ast._tag) {
    case "String":
      return leaf(ast, primitive("string"), "a string", (value) => typeof value === "string")
    case "Boolean":
      return leaf(ast, primitive("boolean"), "a boolean", (value) => typeof value === "boolean")
    case "Number":
      return compileNumber(ast)
    case "Literal":
      return compileLiteral(ast, path)
    case "Null":
    case "Undefined":
    case "Void":
      return nothing(ast)
    case "TemplateLiteral":
      return leaf(ast, primitive("string"), "a string of the template", Schema.is(Schema.make<any>(ast)))
    case "Enum":
      return compileEnums(compilation, ast, path)
    case "Union":
      return compileUnion(compilation, ast.checks ? { ...alternatives(ast), checked: ast } : alternatives(ast), path)
    case "Arrays":
      return compileArray(compilation, ast, path)
    case "Objects":
      return compileStruct(compilation, ast, path, ast, undefined)
    case "Suspend":
      return compile(compilation, ast.thunk(), path)
    case "Declaration":
    case "BigInt":
      return compileDeclared(compilation, ast, path)
    default:
      throw new UnsupportedSchema(placeOf(path), `Avro has no type for ${ast._tag}`)
  }
}

function compileNumber(ast: AST.Number): Mapping {
  const ids = new Map(allChecks(ast.checks).map((check) => [check.id, check.payload]))
  if (!ids.has("effect/schema/isInt"))
    return leaf(ast, primitive("double"), "a number", (value) => typeof value === "number")
  const bounds = ids.get("effect/schema/isBetween")
  const type = bounds?.minimum === -(2 ** 31) && bounds.maximum === 2 ** 31 - 1 ? "int" : "long"
  return leaf(ast, primitive(type), "an integer within ±(2^53 - 1)", (value) => Number.isSafeInteger(value))
}

interface CheckIdentity {
  readonly id: unknown
  readonly payload: Record<string, unknown> | undefined
}

function allChecks(checks: readonly AST.Check<any>[] | undefined): CheckIdentity[] {
  return (checks ?? []).flatMap((check) => {
    if (check._tag === "FilterGroup") return allChecks(check.checks)
    const identity = check.annotations?.representation as unknown as CheckIdentity | undefined
    return identity ? [{ id: identity.id, payload: identity.payload }] : []
  })
}

function compileLiteral(ast: AST.Literal, path: Path): Mapping {
  const { literal } = ast
  const expected = JSON.stringify(literal, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value))
  const is = (value: unknown) => value === literal
  switch (typeof literal) {
    case "string":
      return leaf(ast, primitive("string"), expected, is)
    case "boolean":
      return leaf(ast, primitive("boolean"), expected, is)
    case "number":
      return leaf(ast, primitive(Number.isSafeInteger(literal) ? "long" : "double"), expected, is)
    default:
      throw new UnsupportedSchema(placeOf(path), `Avro has no type for the literal ${expected}n`)
  }
}

const nothing = (ast: AST.AST): Mapping => ({
  type: primitive("null"),
  accepts: (value) => value === null || value === undefined,
  toAvro(value) {
    if (value === null || value === undefined) return null
    throw new Mismatch("nothing", value)
  },
  fromAvro: () => (ast._tag === "Null" ? null : undefined),
})

function compileEnums(compilation: Compilation, ast: AST.Enum, path: Path): Mapping {
  const values = ast.enums.map(([, value]) => value)
  const symbols = values.filter((value) => typeof value === "string")
  if (symbols.length === values.length && symbols.every(isSymbol)) return compileEnum(compilation, ast, symbols, path)
  const kind = symbols.length === values.length ? "string" : "long"
  if (kind === "long" && !values.every((value) => Number.isSafeInteger(value))) {
    throw new UnsupportedSchema(placeOf(path), "an enum that mixes strings and numbers has no Avro type")
  }
  return leaf(ast, primitive(kind), values.join(" or "), (value) => values.includes(value as string))
}

function compileArray(compilation: Compilation, ast: AST.Arrays, path: Path): Mapping {
  const nodes = [...ast.elements, ...ast.rest]
  const items = nodes.map((node) => compilation.compile(node, under(path, "item")))
  const [item] = items
  if (!item || ast.rest.length !== 1 || items.some((one) => one.type.type !== item.type.type)) {
    throw new UnsupportedSchema(
      placeOf(path),
      "Avro arrays hold items of one type, any number of them: use a struct for a tuple",
    )
  }
  const least = ast.elements.length
  const each = (values: unknown[], f: (one: unknown) => unknown) =>
    values.map((one, index) => {
      try {
        return f(one)
      } catch (cause) {
        throw within(cause, `[${index}]`)
      }
    })
  return {
    type: { type: "array", items: item.type, properties: {} },
    accepts: (value) => Array.isArray(value) && value.length >= least && value.every((one) => item.accepts(one)),
    toAvro(value) {
      if (!Array.isArray(value) || value.length < least) {
        throw new Mismatch(least > 0 ? `an array of ${least} or more` : "an array", value)
      }
      const failed = failedCheck(ast, value)
      if (failed !== undefined) throw new Mismatch(failed, value)
      return each(value, item.toAvro)
    },
    fromAvro: item.fromAvro === same ? same : (value) => (value as unknown[]).map(item.fromAvro),
  }
}

/** A class is a declaration that decodes from its struct by a pure function: an instance out of fields. */
function compileClass(compilation: Compilation, ast: AST.AST, path: Path): Mapping | undefined {
  const [link, ...further] = ast.encoding!
  if (ast._tag !== "Declaration" || further.length > 0 || link.to._tag !== "Objects") return undefined
  const describe = (ast.annotations as Record<string, unknown> | undefined)?.["~constructor"]
  const make = (link.transformation.decode as { _tag?: string; transform?: (fields: object) => unknown }).transform
  if (typeof describe !== "function" || typeof make !== "function") return undefined
  // The link leads to the encoded fields, the parameter holds the fields as the class has them: with transformations.
  const [fields] = ast.typeParameters
  if (fields?._tag !== "Objects" || fields.encoding) return undefined
  const { isConstructed } = describe(ast.typeParameters) as { isConstructed: (value: unknown) => boolean }
  const instances: Instances = { isInstance: isConstructed, make }
  return compileStruct(compilation, fields, path, ast, instances)
}

/** Through Effect's own codec to the encoded form, which is mapped in turn. */
function compileTransformation(compilation: Compilation, ast: AST.AST, encoded: AST.AST, path: Path): Mapping {
  const identifier = AST.resolveIdentifier(ast)
  const anonymous = identifier !== undefined && AST.resolveIdentifier(encoded) === undefined
  const target = anonymous ? Schema.make<Schema.Top>(encoded).annotate({ identifier }).ast : encoded
  const inner = compilation.compile(target, path)
  const codec = Schema.make<Schema.Codec<unknown, unknown>>(ast as never)
  const encode = Schema.encodeUnknownSync(codec)
  const decode = Schema.decodeUnknownSync(codec, { disableChecks: true })
  return {
    type: inner.type,
    accepts: Schema.is(codec),
    toAvro: (value) => inner.toAvro(encode(value)),
    fromAvro: (value) => decode(inner.fromAvro(value)),
  }
}

/** Types that Effect declares: some have an Avro type, the others go through their JSON form. */
function compileDeclared(compilation: Compilation, ast: AST.Declaration | AST.BigInt, path: Path): Mapping {
  const { id } = (ast.annotations?.representation ?? {}) as { id?: string }
  const codec = Schema.make<Schema.Codec<unknown, unknown>>(ast as never)
  switch (id) {
    case "effect/schema/Uint8Array":
      return {
        ...leaf(ast, primitive("bytes"), "a Uint8Array", (value) => value instanceof Uint8Array),
        toAvro(value) {
          if (!(value instanceof Uint8Array)) throw new Mismatch("a Uint8Array", value)
          return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
        },
      }
    case "effect/schema/Option":
      return compileOption(compilation, ast as AST.Declaration, path)
    case "effect/schema/Date":
      return timestamp(ast, Schema.is(codec), (value) => (value as Date).getTime(), dateOf)
    case "effect/schema/DateTimeUtc": {
      const json = Schema.toCodecJson(codec)
      const encode = Schema.encodeUnknownSync(json)
      const decode = Schema.decodeUnknownSync(json)
      return timestamp(
        ast,
        Schema.is(codec),
        (value) => dateOf(encode(value) as string).getTime(),
        (millis) => decode(dateOf(millis).toISOString()),
      )
    }
  }
  const lowered = Schema.toCodecJson(codec).ast
  const encoded = AST.toEncoded(lowered)
  if (!lowered.encoding || encoded._tag === ast._tag) {
    throw new UnsupportedSchema(placeOf(path), `Avro has no type for ${AST.resolveIdentifier(ast) ?? id ?? ast._tag}`)
  }
  return compileTransformation(compilation, lowered, encoded, path)
}

/** None is null. An Option of something that may be null itself would lose the difference, and is refused. */
function compileOption(compilation: Compilation, ast: AST.Declaration, path: Path): Mapping {
  const found = alternatives(ast.typeParameters[0]!)
  if (found.hasNull || found.hasUndefined) {
    throw new UnsupportedSchema(placeOf(path), "an Option of what may be null has no Avro type: null is its None")
  }
  const inner = compileUnion(compilation, { ...found, hasNull: true }, path)
  return {
    type: inner.type,
    accepts: (value) =>
      Option.isOption(value) && (Option.isNone(value) || (value.value !== null && inner.accepts(value.value))),
    toAvro(value) {
      if (!Option.isOption(value)) throw new Mismatch("an Option", value)
      return Option.isNone(value) ? null : inner.toAvro(value.value)
    },
    fromAvro: (value) => (value === null ? Option.none() : Option.some(inner.fromAvro(value))),
  }
}

// oxlint-disable-next-line no-restricted-globals -- a value of the user's, not the time
const dateOf = (input: string | number): Date => new Date(input)

function timestamp(
  ast: AST.AST,
  test: (value: unknown) => boolean,
  to: (value: unknown) => number,
  from: (millis: number) => unknown,
): Mapping {
  const checked = leaf(ast, TIMESTAMP, "a date", test)
  return { ...checked, toAvro: (value) => to(checked.toAvro(value)), fromAvro: (value) => from(value as number) }
}
