/**
 * A JSON schema taken apart: each node is one kind of test, or a combination of nodes.
 *
 * A schema says many things at once; what it says about one type of value becomes one node, and more than one node become
 * an `allOf` of them. `type: ["string", "null"]` is an `anyOf`, `$ref` is what it leads to, `const` is an enum of one.
 * So two schemas are compared kind by kind, however they were written.
 *
 * Nodes are made once a schema object (recursion through `$ref` ends there).
 */
export type JsonObject = { readonly [key: string]: unknown }

export type Node =
  /** Accepts everything. */
  | { readonly kind: "any" }
  /** Accepts nothing. */
  | { readonly kind: "never" }
  | { readonly kind: "object" | "array" | "string" | "boolean" | "null"; readonly schema: JsonObject }
  | { readonly kind: "number"; readonly schema: JsonObject; readonly isInteger: boolean }
  | { readonly kind: "enum"; readonly values: readonly unknown[] }
  | { readonly kind: "not"; readonly inner: unknown }
  | { readonly kind: "if"; readonly schema: JsonObject }
  | { readonly kind: "allOf" | "anyOf" | "oneOf"; readonly parts: readonly Node[] }
  /** A reference that leads out of the document: compared by its name. */
  | { readonly kind: "external"; readonly reference: string }

/** Which keywords belong to which type. */
const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  object: [
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "unevaluatedProperties",
    "maxProperties",
    "minProperties",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "propertyNames",
  ],
  array: [
    "items",
    "prefixItems",
    "additionalItems",
    "unevaluatedItems",
    "maxItems",
    "minItems",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
  ],
  string: ["maxLength", "minLength", "pattern"],
  number: ["maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "multipleOf"],
}

export class JsonDocument {
  readonly root: unknown
  readonly #nodes = new Map<object, Node>()
  /** References being followed: one that leads to itself accepts everything, as it says nothing. */
  readonly #following = new Set<string>()
  constructor(root: unknown) {
    this.root = root
  }

  node(schema: unknown): Node {
    if (schema === false) return { kind: "never" }
    if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return { kind: "any" }
    const known = this.#nodes.get(schema)
    if (known) return known
    const node = this.#make(schema as JsonObject)
    this.#nodes.set(schema, node)
    return node
  }

  #make(schema: JsonObject): Node {
    if (typeof schema.$ref === "string") return this.#follow(schema.$ref)
    const parts: Node[] = [...this.#typed(schema)]
    if (Array.isArray(schema.enum)) parts.push({ kind: "enum", values: schema.enum })
    if ("const" in schema) parts.push({ kind: "enum", values: [schema.const] })
    for (const kind of ["allOf", "anyOf", "oneOf"] as const) {
      const list = schema[kind]
      if (Array.isArray(list))
        parts.push(
          combine(
            kind,
            list.map((part) => this.node(part)),
          ),
        )
    }
    if ("not" in schema) parts.push(isEmpty(schema.not) ? { kind: "never" } : { kind: "not", inner: schema.not })
    if ("if" in schema) parts.push({ kind: "if", schema })
    return parts.length === 0 ? { kind: "any" } : combine("allOf", parts)
  }

  #typed(schema: JsonObject): Node[] {
    const { type } = schema
    const types = Array.isArray(type) ? type : typeof type === "string" ? [type] : undefined
    if (types)
      return [
        combine(
          "anyOf",
          types.map((one) => typedNode(String(one), schema)),
        ),
      ]
    const implied = Object.keys(KEYWORDS).filter((name) => KEYWORDS[name]!.some((keyword) => keyword in schema))
    return implied.map((name) => typedNode(name, schema))
  }

  #follow(reference: string): Node {
    if (!reference.startsWith("#")) return { kind: "external", reference }
    if (this.#following.has(reference)) return { kind: "any" }
    let target = this.root
    for (const part of reference.slice(1).split("/").slice(1)) {
      const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")
      target = (target as JsonObject | undefined)?.[key]
    }
    if (target === undefined) return { kind: "external", reference }
    this.#following.add(reference)
    const node = this.node(target)
    this.#following.delete(reference)
    return node
  }
}

function typedNode(type: string, schema: JsonObject): Node {
  switch (type) {
    case "integer":
    case "number":
      return { kind: "number", schema, isInteger: type === "integer" }
    case "object":
    case "array":
    case "string":
    case "boolean":
    case "null":
      return { kind: type, schema }
    default:
      return { kind: "any" }
  }
}

/** A combination of one is that one. */
const combine = (kind: "allOf" | "anyOf" | "oneOf", parts: readonly Node[]): Node =>
  parts.length === 1 ? parts[0]! : { kind, parts }

const isEmpty = (schema: unknown): boolean =>
  schema === true || (typeof schema === "object" && schema !== null && Object.keys(schema).length === 0)
