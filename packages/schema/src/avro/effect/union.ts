/**
 * Unions -> Avro unions; unions of string literals -> enums.
 *
 * A value goes to the first member that accepts it. Members of one Avro kind share a branch (two strings, say); two
 * arrays or two maps cannot, Avro would not tell them apart.
 */
import type * as AST from "effect/SchemaAST"
import { UnsupportedSchema } from "../../errors.ts"
import { isWrapped, unwrap, wrap } from "../representation.ts"
import { type AvroType, type AvroUnion, branchName } from "../schema.ts"
import { type Compilation, failedCheck, leaf, type Mapping, Mismatch, type Path, placeOf } from "./mapping.ts"
import { isSymbol, nameOf, nameTaken } from "./names.ts"

/** The members of a union without null and undefined, nested unions taken apart. */
export interface Alternatives {
  readonly members: readonly AST.AST[]
  readonly hasNull: boolean
  readonly hasUndefined: boolean
  /** The node itself: its name is an enum's name. */
  readonly node: AST.AST
  /** The union's own checks, if it has any. */
  checked?: AST.AST
}

export function alternatives(ast: AST.AST): Alternatives {
  const flat = flatten(ast)
  const found: Alternatives = {
    members: flat.filter((one) => one._tag !== "Null" && one._tag !== "Undefined" && one._tag !== "Void"),
    hasNull: flat.some((one) => one._tag === "Null"),
    hasUndefined: flat.some((one) => one._tag === "Undefined" || one._tag === "Void"),
    node: ast,
  }
  return found
}

const flatten = (ast: AST.AST): readonly AST.AST[] =>
  ast._tag === "Union" && !ast.encoding ? ast.types.flatMap((member) => flatten(member)) : [ast]

export function compileUnion(compilation: Compilation, found: Alternatives, path: Path): Mapping {
  const members = compileMembers(compilation, found, path)
  const withNull = found.hasNull || found.hasUndefined
  if (members.length === 1 && !withNull) return members[0]!
  const whenNull = found.hasNull ? null : undefined
  const branches: { readonly type: AvroType; readonly from: (value: unknown) => unknown }[] = []
  const indexes = members.map((member) => {
    const name = branchName(member.type)
    const index = branches.findIndex((branch) => branchName(branch.type) === name)
    if (index < 0) return branches.push({ type: member.type, from: member.fromAvro }) - 1
    if (member.type.type === "array" || member.type.type === "map" || branches[index]!.from !== member.fromAvro) {
      throw new UnsupportedSchema(placeOf(path), `an Avro union cannot hold two members that are both ${name}`)
    }
    return index
  })
  const accepting = (value: unknown) => members.find((member) => member.accepts(value))
  if (branches.length === 1 && !withNull) {
    const toAvro = (value: unknown) => (accepting(value) ?? members[0]!).toAvro(value)
    return {
      type: branches[0]!.type,
      accepts: (value) => accepting(value) !== undefined,
      toAvro,
      fromAvro: branches[0]!.from,
    }
  }
  const NULL: AvroType = { type: "null", properties: {} }
  const type: AvroUnion = {
    type: "union",
    branches: withNull ? [NULL, ...branches.map((branch) => branch.type)] : branches.map((branch) => branch.type),
  }
  const wrapped = isWrapped(type)
  const offset = withNull ? 1 : 0
  const isNull = (value: unknown) => withNull && (value === null || value === undefined)
  return {
    type,
    accepts: (value) => isNull(value) || accepting(value) !== undefined,
    toAvro(value) {
      if (isNull(value)) return null
      // One member left: let it say what is wrong.
      const index = members.length === 1 ? 0 : members.findIndex((member) => member.accepts(value))
      if (index < 0) throw new Mismatch(branches.map((branch) => branchName(branch.type)).join(" or "), value)
      const failed = found.checked && failedCheck(found.checked, value)
      if (failed !== undefined) throw new Mismatch(failed, value)
      const written = members[index]!.toAvro(value)
      return wrapped ? wrap(branches[indexes[index]!]!.type, written) : written
    },
    fromAvro(value) {
      if (value === null) return whenNull
      const { index, value: inner } = unwrap(type, wrapped, value)
      return branches[index - offset]!.from(inner)
    },
  }
}

function compileMembers(compilation: Compilation, found: Alternatives, path: Path): Mapping[] {
  const symbols = found.members.flatMap((member) =>
    member._tag === "Literal" && typeof member.literal === "string" && !member.encoding ? [member.literal] : [],
  )
  if (symbols.length < 2 || symbols.length < found.members.length || !symbols.every(isSymbol)) {
    return found.members.map((member) => compilation.compile(member, path))
  }
  return [compileEnum(compilation, found.node, [...new Set(symbols)], path)]
}

export function compileEnum(compilation: Compilation, ast: AST.AST, symbols: readonly string[], path: Path): Mapping {
  const known = new Set<unknown>(symbols)
  const expected = symbols.map((symbol) => JSON.stringify(symbol)).join(" or ")
  const isKnown = (value: unknown) => known.has(value)
  if (path.record === undefined && path.segments.length === 0) {
    return leaf(ast, { type: "string", properties: {} }, expected, isKnown)
  }
  const name = nameOf(ast, path)
  const earlier = compilation.named.get(name)
  const text = symbols.join()
  if (earlier && earlier.node !== text) throw nameTaken(name, path)
  const type = earlier?.type ?? {
    type: "enum",
    name,
    aliases: [],
    doc: undefined,
    symbols,
    default: undefined,
    properties: {},
  }
  compilation.named.set(name, { node: text, type })
  return leaf(ast, type, expected, isKnown)
}
