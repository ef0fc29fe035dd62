/**
 * A schema out of a sample of values: what every value of the sample fits.
 *
 * JSON: whole numbers are int64, other numbers float64, a field that is missing or null anywhere is optional, a mix of
 * types is text. CSV cells are text that may all read as numbers or booleans; an empty cell of such a column is null.
 * Text with a leading zero is no number: 007 would lose its zeros.
 */
import { type ConnectSchema, type Field, isPlainObject } from "@millrace/connect/data/schema"

type Kind = "int64" | "float64" | "boolean" | "string" | "array" | "struct"

/** What a set of values has in common; grows with each value observed. */
export class Observed {
  readonly #kinds = new Set<Kind>()
  readonly #fields = new Map<string, Observed>()
  #items: Observed | undefined
  #nulls = false
  #values = 0
  #structs = 0
  readonly #fromText: boolean
  constructor(options: { readonly fromText: boolean }) {
    this.#fromText = options.fromText
  }

  add(value: unknown): void {
    this.#values++
    if (value === null || value === undefined || (this.#fromText && value === "")) {
      this.#nulls = true
      return
    }
    const kind = this.#fromText && typeof value === "string" ? kindOfText(value) : kindOf(value)
    this.#kinds.add(kind)
    if (Array.isArray(value)) {
      this.#items ??= this.#fresh()
      for (const item of value) this.#items.add(item)
    } else if (isPlainObject(value)) {
      this.#structs++
      for (const [name, field] of Object.entries(value)) this.#field(name).add(field)
    }
  }

  schema(name: string): ConnectSchema {
    const bare = this.#bare(name)
    const emptyIsText = this.#fromText && bare.type === "string"
    return this.#nulls && !emptyIsText ? { ...bare, optional: true } : bare
  }

  #bare(name: string): ConnectSchema {
    const kinds = [...this.#kinds].sort().join(" ")
    switch (kinds) {
      case "int64":
      case "float64":
      case "boolean":
        return { type: kinds }
      case "float64 int64":
        return { type: "float64" }
      case "array":
        return { type: "array", items: this.#items!.schema(`${name}Item`) }
      case "struct":
        return { type: "struct", name, fields: this.#structFields(name) }
      default:
        return { type: "string" }
    }
  }

  #structFields(name: string): Field[] {
    return [...this.#fields].map(([field, observed]) => {
      const schema = observed.schema(`${name}${field.charAt(0).toUpperCase()}${field.slice(1)}`)
      return { name: field, schema: observed.#values < this.#structs ? { ...schema, optional: true } : schema }
    })
  }

  #field(name: string): Observed {
    let field = this.#fields.get(name)
    if (!field) this.#fields.set(name, (field = this.#fresh()))
    return field
  }

  #fresh = (): Observed => new Observed({ fromText: this.#fromText })
}

function kindOf(value: unknown): Kind {
  if (typeof value === "number") return Number.isSafeInteger(value) ? "int64" : "float64"
  if (typeof value === "boolean") return "boolean"
  if (Array.isArray(value)) return "array"
  return isPlainObject(value) ? "struct" : "string"
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

function kindOfText(text: string): Kind {
  if (text === "true" || text === "false") return "boolean"
  if (!NUMBER.test(text)) return "string"
  return Number.isSafeInteger(Number(text)) && /^-?\d+$/.test(text) ? "int64" : "float64"
}
