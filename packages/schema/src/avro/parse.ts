/**
 * JSON -> Avro schema.
 *
 * Names resolve as the specification says: a name with a dot is full; otherwise the namespace of the definition or of
 * the nearest enclosing definition applies. A name may be used only after its definition (inside it too), or when it
 * comes with `references`. Every refusal says what is wrong and where: `$.fields[2].type`.
 *
 * Defaults are kept as JSON. They are judged only when asked (`validateDefaults`): registries hold schemas of twenty
 * years with defaults that no parser checked.
 */
import { SchemaParseError } from "../errors.ts"
import { describe, reasonOf } from "../explain.ts"
import { isValidDefault } from "./defaults.ts"
import type {
  AvroField,
  AvroNamedType,
  AvroPrimitive,
  AvroType,
  Json,
  Names,
  PrimitiveName,
  Properties,
} from "./schema.ts"

export interface ParseOptions {
  /** Named types that the schema may use without defining them. */
  readonly references?: Names
  /** Refuse defaults that are not values of their field's type. */
  readonly validateDefaults?: boolean
}

export interface ParsedAvro {
  readonly type: AvroType
  /** The named types that this text defines, in order; what a schema that refers to it may use. */
  readonly names: Names
}

/** Parses the text of a schema. Throws SchemaParseError. */
export function parseAvro(text: string, options: ParseOptions = {}): ParsedAvro {
  let json: Json
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new SchemaParseError("", `the schema is not JSON: ${reasonOf(cause)}`)
  }
  return parseAvroJson(json, options)
}

/** Parses a schema that is JSON already: an `.avsc` file's object. Throws SchemaParseError. */
export function parseAvroJson(json: unknown, options: ParseOptions = {}): ParsedAvro {
  const parser: Parser = {
    references: options.references ?? new Map(),
    names: new Map(),
    validateDefaults: options.validateDefaults ?? false,
    depth: 0,
  }
  return { type: parseType(parser, json, "", "$"), names: parser.names }
}

interface Parser {
  readonly references: Names
  readonly names: Map<string, AvroNamedType>
  readonly validateDefaults: boolean
  depth: number
}

type JsonObject = { readonly [key: string]: unknown }

const PRIMITIVES: ReadonlySet<string> = new Set<PrimitiveName>([
  "null",
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "bytes",
  "string",
])
const NAME = /^[A-Za-z_]\w*$/
/** How deep types may nest: the parser, the checker and the codec recurse. */
const DEPTH_MAX = 200

function parseType(parser: Parser, json: unknown, namespace: string, path: string): AvroType {
  if (++parser.depth > DEPTH_MAX) throw new SchemaParseError("", `the schema nests more than ${DEPTH_MAX} types`)
  const type = parseKind(parser, json, namespace, path)
  parser.depth--
  return type
}

function parseKind(parser: Parser, json: unknown, namespace: string, path: string): AvroType {
  if (typeof json === "string") return parseName(parser, json, namespace, path)
  if (Array.isArray(json)) return parseUnion(parser, json, namespace, path)
  if (typeof json !== "object" || json === null) {
    throw new SchemaParseError(path, `a schema is a name, an object or an array of branches, not ${describe(json)}`)
  }
  const object = json as JsonObject
  const { type } = object
  if (type === undefined) throw new SchemaParseError(path, `"type" is missing`)
  if (typeof type !== "string") {
    // {"type": {"type": …}} and {"type": [ … ]}: the inner schema is meant.
    return parseType(parser, type, namespace, `${path}.type`)
  }
  if (PRIMITIVES.has(type)) return { type: type as PrimitiveName, properties: otherThan(object, ["type"]) }
  switch (type) {
    case "record":
    case "error":
      return parseRecord(parser, object, namespace, path)
    case "enum":
      return parseEnum(parser, object, namespace, path)
    case "fixed":
      return parseFixed(parser, object, namespace, path)
    case "array":
      if (object.items === undefined) throw new SchemaParseError(path, `an array needs "items"`)
      return {
        type,
        items: parseType(parser, object.items, namespace, `${path}.items`),
        properties: otherThan(object, ["type", "items"]),
      }
    case "map":
      if (object.values === undefined) throw new SchemaParseError(path, `a map needs "values"`)
      return {
        type,
        values: parseType(parser, object.values, namespace, `${path}.values`),
        properties: otherThan(object, ["type", "values"]),
      }
    default:
      return parseName(parser, type, namespace, `${path}.type`)
  }
}

const plainPrimitives = new Map<string, AvroPrimitive>(
  [...PRIMITIVES].map((type) => [type, { type: type as PrimitiveName, properties: {} }]),
)

function parseName(parser: Parser, name: string, namespace: string, path: string): AvroType {
  const primitive = plainPrimitives.get(name)
  if (primitive) return primitive
  const candidates = name.includes(".") || namespace === "" ? [name] : [`${namespace}.${name}`, name]
  for (const candidate of candidates) {
    const found = parser.names.get(candidate) ?? parser.references.get(candidate)
    if (found) return found
  }
  throw new SchemaParseError(path, `the type ${JSON.stringify(name)} is not defined`)
}

function parseUnion(parser: Parser, json: readonly unknown[], namespace: string, path: string): AvroType {
  const seen = new Set<string>()
  const branches = json.map((branch, index) => {
    const at = `${path}[${index}]`
    const parsed = parseType(parser, branch, namespace, at)
    if (parsed.type === "union") throw new SchemaParseError(at, "a union may not hold another union directly")
    const name = "name" in parsed ? parsed.name : parsed.type
    if (seen.has(name)) throw new SchemaParseError(at, `the union has ${JSON.stringify(name)} twice`)
    seen.add(name)
    return parsed
  })
  return { type: "union", branches }
}

function parseRecord(parser: Parser, object: JsonObject, outer: string, path: string): AvroType {
  const { name, namespace } = definedName(object, outer, path)
  const fields: AvroField[] = []
  const record = {
    type: "record" as const,
    isError: object.type === "error",
    name,
    aliases: aliasesOf(object, namespace, path),
    doc: textOf(object.doc),
    fields,
    properties: otherThan(object, ["type", "name", "namespace", "aliases", "doc", "fields"]),
  }
  define(parser, record, path)
  if (!Array.isArray(object.fields)) throw new SchemaParseError(path, `the record ${name} needs an array "fields"`)
  const seen = new Set<string>()
  for (const [index, json] of object.fields.entries()) {
    const at = `${path}.fields[${index}]`
    const field = parseField(parser, json, namespace, at)
    if (seen.has(field.name)) throw new SchemaParseError(at, `the record ${name} has the field ${field.name} twice`)
    seen.add(field.name)
    fields.push(field)
  }
  return record
}

const ORDERS = ["ascending", "descending", "ignore"] as const

function parseField(parser: Parser, json: unknown, namespace: string, path: string): AvroField {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new SchemaParseError(path, `a field is an object, not ${describe(json)}`)
  }
  const object = json as JsonObject
  const name = nameOf(object.name, "field", path)
  if (object.type === undefined) throw new SchemaParseError(path, `the field ${name} has no "type"`)
  const order = ORDERS.find((order) => order === (object.order ?? "ascending"))
  if (!order)
    throw new SchemaParseError(path, `"order" is ascending, descending or ignore, not ${describe(object.order)}`)
  const type = parseType(parser, object.type, namespace, `${path}.type`)
  const fallback = object.default as Json | undefined
  if (parser.validateDefaults && fallback !== undefined && !isValidDefault(type, fallback)) {
    throw new SchemaParseError(path, `the default ${JSON.stringify(fallback)} of the field ${name} is not of its type`)
  }
  return {
    name,
    type,
    doc: textOf(object.doc),
    default: fallback,
    order,
    aliases: strings(object.aliases, `"aliases"`, path),
    properties: otherThan(object, ["name", "type", "doc", "default", "order", "aliases"]),
  }
}

function parseEnum(parser: Parser, object: JsonObject, outer: string, path: string): AvroType {
  const { name, namespace } = definedName(object, outer, path)
  if (!Array.isArray(object.symbols)) throw new SchemaParseError(path, `the enum ${name} needs an array "symbols"`)
  const symbols = strings(object.symbols, `"symbols"`, path)
  for (const [index, symbol] of symbols.entries()) {
    const at = `${path}.symbols[${index}]`
    if (!NAME.test(symbol)) throw new SchemaParseError(at, `${JSON.stringify(symbol)} is not a valid symbol`)
    if (symbols.indexOf(symbol) !== index) throw new SchemaParseError(at, `the symbol ${symbol} is there twice`)
  }
  const fallback = object.default
  if (fallback !== undefined && !symbols.includes(fallback as string)) {
    throw new SchemaParseError(path, `the default ${describe(fallback)} of the enum ${name} is not among its symbols`)
  }
  return define(
    parser,
    {
      type: "enum",
      name,
      aliases: aliasesOf(object, namespace, path),
      doc: textOf(object.doc),
      symbols,
      default: fallback as string | undefined,
      properties: otherThan(object, ["type", "name", "namespace", "aliases", "doc", "symbols", "default"]),
    },
    path,
  )
}

function parseFixed(parser: Parser, object: JsonObject, outer: string, path: string): AvroType {
  const { name, namespace } = definedName(object, outer, path)
  const size = object.size
  if (typeof size !== "number" || !Number.isInteger(size) || size < 0) {
    throw new SchemaParseError(path, `the fixed ${name} needs a "size" of zero or more, not ${describe(size)}`)
  }
  return define(
    parser,
    {
      type: "fixed",
      name,
      aliases: aliasesOf(object, namespace, path),
      doc: textOf(object.doc),
      size,
      properties: otherThan(object, ["type", "name", "namespace", "aliases", "doc", "size"]),
    },
    path,
  )
}

function definedName(object: JsonObject, outer: string, path: string): { name: string; namespace: string } {
  const given = object.name
  if (typeof given !== "string") throw new SchemaParseError(path, `a ${object.type as string} needs a "name"`)
  const dot = given.lastIndexOf(".")
  const own = object.namespace
  if (own !== undefined && own !== null && typeof own !== "string") {
    throw new SchemaParseError(path, `"namespace" is a string, not ${describe(own)}`)
  }
  const namespace = dot >= 0 ? given.slice(0, dot) : ((own as string | null | undefined) ?? outer)
  const short = nameOf(given.slice(dot + 1), object.type as string, path)
  for (const part of namespace === "" ? [] : namespace.split(".")) {
    if (!NAME.test(part)) throw new SchemaParseError(path, `${JSON.stringify(namespace)} is not a valid namespace`)
  }
  if (namespace === "" && PRIMITIVES.has(short)) {
    throw new SchemaParseError(path, `a ${object.type as string} may not be called ${short}, which is a primitive type`)
  }
  return { name: namespace === "" ? short : `${namespace}.${short}`, namespace }
}

function nameOf(name: unknown, what: string, path: string): string {
  if (typeof name !== "string") throw new SchemaParseError(path, `a ${what} needs a "name"`)
  if (!NAME.test(name)) {
    throw new SchemaParseError(
      path,
      `${JSON.stringify(name)} is not a valid ${what} name: a letter or _, then letters, digits or _`,
    )
  }
  return name
}

function define<T extends AvroNamedType>(parser: Parser, type: T, path: string): T {
  if (parser.names.has(type.name) || parser.references.has(type.name)) {
    throw new SchemaParseError(path, `the type ${type.name} is defined twice`)
  }
  parser.names.set(type.name, type)
  return type
}

const aliasesOf = (object: JsonObject, namespace: string, path: string): readonly string[] =>
  strings(object.aliases, `"aliases"`, path).map((alias) =>
    alias.includes(".") || namespace === "" ? alias : `${namespace}.${alias}`,
  )

function strings(json: unknown, what: string, path: string): readonly string[] {
  if (json === undefined || json === null) return []
  if (!Array.isArray(json) || json.some((one) => typeof one !== "string")) {
    throw new SchemaParseError(path, `${what} is an array of strings, not ${describe(json)}`)
  }
  return json
}

const textOf = (json: unknown): string | undefined => (typeof json === "string" ? json : undefined)

function otherThan(object: JsonObject, known: readonly string[]): Properties {
  const entries = Object.entries(object).filter(([key]) => !known.includes(key))
  return Object.fromEntries(entries) as Properties
}
