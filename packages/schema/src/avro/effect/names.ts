/**
 * Names for the Avro types of an Effect schema.
 *
 * A node that has an identifier (a class, an annotated struct) is called by it; slashes and dots in it part a namespace
 * off: `shop/orders/Order` is `shop.orders.Order`. A nameless record, enum or tuple inside a record is called after that
 * record and its field, `Order_customer`, so that the name does not depend on what else the schema holds; one with a
 * `_tag`, as members of a union have, after that: `Circle`, `Order_shape_Circle`.
 */
import * as AST from "effect/SchemaAST"
import { UnsupportedSchema } from "../../errors.ts"
import { type Path, placeOf } from "./mapping.ts"

export function nameOf(ast: AST.AST, path: Path): string {
  const identifier = AST.resolveIdentifier(ast)
  if (identifier !== undefined) return fullName(identifier)
  const tag = tagOf(ast)
  const parts = [path.record, path.record && path.segments.at(-1), tag].filter((part) => part !== undefined)
  if (parts.length > 0) return parts.map(legal).join("_")
  throw new UnsupportedSchema(
    placeOf(path),
    'an Avro record needs a name: use Schema.Class, or give the struct one with .annotate({ identifier: "Order" })',
  )
}

function tagOf(ast: AST.AST): string | undefined {
  const tag = ast._tag === "Objects" ? ast.propertySignatures.find(({ name }) => name === "_tag")?.type : undefined
  return tag?._tag === "Literal" && typeof tag.literal === "string" ? tag.literal : undefined
}

function fullName(identifier: string): string {
  return identifier
    .split(/[/.]+/)
    .filter((part) => part !== "")
    .map(legal)
    .join(".")
}

/** Letters, digits and _, not a digit first; dots stay. */
const legal = (part: string): string => part.replaceAll(/[^\w.]/g, "_").replace(/^(?=\d)/, "_")

export const isSymbol = (text: string): boolean => /^[A-Za-z_]\w*$/.test(text)

export function describedBy(ast: AST.AST): string | undefined {
  const description = AST.resolve(ast)?.description
  return typeof description === "string" ? description : undefined
}

export const nameTaken = (name: string, path: Path): UnsupportedSchema =>
  new UnsupportedSchema(placeOf(path), `two schemas are called ${name}: give one another identifier`)
