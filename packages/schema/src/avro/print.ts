/**
 * Avro schema -> text, in three forms.
 *
 *  - `print`: everything the schema says, in the attribute order of Avro's Java library, whose output registries store:
 *    two texts that differ in white space, attribute order or `{"type": "string"}` against `"string"` print the same.
 *  - `normalized`: the same with full names throughout and unknown attributes sorted, for `normalize=true`.
 *  - `parsingCanonicalForm`: only what decides how bytes are read; the form that fingerprints are of.
 *
 * Spec: Apache Avro 1.12, "Transforming into Parsing Canonical Form".
 */
import { type AvroField, type AvroNamedType, type AvroType, isNamed, namespaceOf, shortName } from "./schema.ts"
import type { Names, Properties } from "./schema.ts"

interface Printer {
  /** Types that need no definition any more: printed before, or defined by a referenced schema. */
  readonly defined: Set<string>
  readonly normalize: boolean
}

export interface PrintOptions {
  /** Types that other schemas define: only their names are printed. */
  readonly references?: Names
}

export const print = (type: AvroType, options: PrintOptions = {}): string =>
  JSON.stringify(printType({ defined: new Set(options.references?.keys()), normalize: false }, type, ""))

export const normalized = (type: AvroType, options: PrintOptions = {}): string =>
  JSON.stringify(printType({ defined: new Set(options.references?.keys()), normalize: true }, type, ""))

function printType(printer: Printer, type: AvroType, namespace: string): unknown {
  switch (type.type) {
    case "union":
      return type.branches.map((branch) => printType(printer, branch, namespace))
    case "array":
      return {
        type: "array",
        items: printType(printer, type.items, namespace),
        ...extras(printer, type.properties),
      }
    case "map":
      return {
        type: "map",
        values: printType(printer, type.values, namespace),
        ...extras(printer, type.properties),
      }
    case "record":
    case "enum":
    case "fixed":
      return printNamed(printer, type, namespace)
    default: {
      const properties = extras(printer, type.properties)
      return Object.keys(properties).length === 0 ? type.type : { type: type.type, ...properties }
    }
  }
}

function printNamed(printer: Printer, type: AvroNamedType, outer: string): unknown {
  const namespace = namespaceOf(type.name)
  if (printer.defined.has(type.name)) {
    // A name without a namespace cannot be written inside one: it would be taken for one of it.
    return !printer.normalize && namespace === outer ? shortName(type.name) : type.name
  }
  printer.defined.add(type.name)
  const printed: Record<string, unknown> = { type: type.type === "record" && type.isError ? "error" : type.type }
  if (printer.normalize) printed.name = type.name
  else {
    printed.name = shortName(type.name)
    if (namespace !== outer) printed.namespace = namespace
  }
  if (type.doc !== undefined) printed.doc = type.doc
  if (type.type === "record") printed.fields = type.fields.map((field) => printField(printer, field, namespace))
  else if (type.type === "enum") {
    printed.symbols = type.symbols
    if (type.default !== undefined) printed.default = type.default
  } else printed.size = type.size
  Object.assign(printed, extras(printer, type.properties))
  if (type.aliases.length > 0) {
    printed.aliases = printer.normalize
      ? type.aliases
      : type.aliases.map((alias) => (namespaceOf(alias) === namespace ? shortName(alias) : alias))
  }
  return printed
}

function printField(printer: Printer, field: AvroField, namespace: string): unknown {
  const printed: Record<string, unknown> = {
    name: field.name,
    type: printType(printer, field.type, namespace),
  }
  if (field.doc !== undefined) printed.doc = field.doc
  if (field.default !== undefined) printed.default = field.default
  if (field.order !== "ascending") printed.order = field.order
  if (field.aliases.length > 0) printed.aliases = field.aliases
  return Object.assign(printed, extras(printer, field.properties))
}

function extras(printer: Printer, properties: Properties): Properties {
  if (!printer.normalize) return properties
  const sorted = Object.entries(properties).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
  return Object.fromEntries(sorted)
}

/** The parsing canonical form. References are defined where they are first used: it has to stand alone. */
export const parsingCanonicalForm = (type: AvroType): string => JSON.stringify(canonical(new Set(), type))

function canonical(defined: Set<string>, type: AvroType): unknown {
  if (isNamed(type)) {
    if (defined.has(type.name)) return type.name
    defined.add(type.name)
  }
  switch (type.type) {
    case "union":
      return type.branches.map((branch) => canonical(defined, branch))
    case "array":
      return { type: "array", items: canonical(defined, type.items) }
    case "map":
      return { type: "map", values: canonical(defined, type.values) }
    case "record":
      return {
        name: type.name,
        type: type.isError ? "error" : "record",
        fields: type.fields.map((field) => ({ name: field.name, type: canonical(defined, field.type) })),
      }
    case "enum":
      return { name: type.name, type: "enum", symbols: type.symbols }
    case "fixed":
      return { name: type.name, type: "fixed", size: type.size }
    default:
      return type.type
  }
}
