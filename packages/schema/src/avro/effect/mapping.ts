/**
 * A node of an Effect schema as Avro: the Avro type, and both ways between values of the two.
 *
 * `toAvro` checks what it converts and throws `Mismatch`; `fromAvro` trusts what the Avro codec made of the bytes.
 */
import type * as AST from "effect/SchemaAST"
import { describe } from "../../explain.ts"
import type { AvroRecord, AvroType } from "../schema.ts"

export interface Mapping {
  readonly type: AvroType
  /** Whether a value is one of this node: what tells the members of a union apart. */
  accepts(value: unknown): boolean
  toAvro(value: unknown): unknown
  fromAvro(value: unknown): unknown
}

/** What the parts of the compiler share. */
export interface Compilation {
  /** `name` is what the node would be called if it needs a name of its own and brings none. */
  compile(ast: AST.AST, path: Path): Mapping
  /** Named types so far, by full name, with the node that each came from. */
  readonly named: Map<string, { readonly node: unknown; readonly type: AvroType }>
  /** Records so far, complete or under construction, by their node: recursion ends here. */
  readonly structs: Map<unknown, Struct>
}

/** A record type and how its fields convert; `fields` fill up while the record is compiled. */
export interface Struct {
  readonly type: AvroRecord
  readonly fields: Field[]
}

export interface Field {
  readonly name: string
  readonly mapping: Mapping
  readonly nullable: boolean
  /** What null in the record means here. */
  readonly whenNull: "null" | "absent" | "undefined"
  /** Converts the field alone, as an object of that one key, where the key may be absent on one side only. */
  readonly codec: { encode(value: object): object; decode(value: object): object } | undefined
}

/** Where in the schema a node is: for messages and for the names of nameless nodes. */
export interface Path {
  /** The full name of the nearest record around, if any. */
  readonly record: string | undefined
  readonly segments: readonly string[]
}

export const under = (path: Path, segment: string): Path => ({ ...path, segments: [...path.segments, segment] })
export const placeOf = (path: Path): string => path.segments.join(".")

/** A value that its schema refuses. */
export class Mismatch extends Error {
  override readonly name = "Mismatch"
  readonly segments: string[] = []
  constructor(expected: string, value: unknown) {
    super(`expected ${expected}, got ${describe(value)}`)
  }
}

/** The same failure, one level further up. */
export function within(cause: unknown, segment: string): unknown {
  if (cause instanceof Mismatch) cause.segments.unshift(segment)
  return cause
}

export const same = (value: unknown): unknown => value

/** The first check of a node that a value fails, in words. */
export function failedCheck(ast: AST.AST, value: unknown): string | undefined {
  return ast.checks && failing(ast.checks, ast, value)
}

function failing(checks: readonly AST.Check<any>[], ast: AST.AST, value: unknown): string | undefined {
  for (const check of checks) {
    if (check._tag === "FilterGroup") {
      const inner = failing(check.checks, ast, value)
      if (inner !== undefined) return inner
    } else if (check.run(value, ast, {}) !== undefined) {
      const expected = check.annotations?.expected
      return typeof expected === "string" ? expected : "a value that passes its check"
    }
  }
  return undefined
}

/** A mapping whose values look alike on both sides, guarded by a test and the node's checks. */
export function leaf(ast: AST.AST, type: AvroType, expected: string, test: (value: unknown) => boolean): Mapping {
  const accepts = ast.checks ? (value: unknown) => test(value) && failedCheck(ast, value) === undefined : test
  return {
    type,
    accepts,
    toAvro(value) {
      if (accepts(value)) return value
      throw new Mismatch(test(value) ? failedCheck(ast, value)! : expected, value)
    },
    fromAvro: same,
  }
}
