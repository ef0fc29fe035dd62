/**
 * Turns the plan of one message version into straight-line JavaScript, one function a struct, by `new Function`.
 * Measured on a struct of six fields: compiled 33-39 ns, interpreted 290-430 ns, hand-written 40-46 ns.
 *
 * Only names out of our own table reach the source text, quoted as JSON. Nothing a peer sends does.
 *
 *   e(w, v): writes struct v         d(r): reads a struct, all fields in table order, so that every version of a
 *                                          message yields objects of one hidden class
 */
import type { Reader } from "../bytes/reader.ts"
import type { Writer } from "../bytes/writer.ts"
import type { ScalarType } from "./field.ts"
import { absence, elementBytesMin, isDefault, type PlannedField, type PlannedStruct } from "./plan.ts"

export interface CompiledCodec {
  encode(writer: Writer, value: unknown): void
  decode(reader: Reader): unknown
}

/** What the generated code calls back: whether a struct has nothing but defaults is left to `plan.ts`. */
interface Runtime {
  readonly fields: PlannedField[]
  readonly isDefault: typeof isDefault
}

class Source {
  readonly fields: PlannedField[] = []
  private readonly functions: string[] = []
  private readonly structs = new Map<PlannedStruct, number>()

  /** Index of the functions e<n> and d<n> of a struct. */
  struct(plan: PlannedStruct): number {
    const known = this.structs.get(plan)
    if (known !== undefined) return known
    const index = this.structs.size
    this.structs.set(plan, index)
    this.functions.push(encoder(this, plan, index), decoder(this, plan, index))
    return index
  }

  /** Index of a field that generated code refers to. */
  field(field: PlannedField): number {
    return this.fields.push(field) - 1
  }

  text(): string {
    return `"use strict"\nconst { fields, isDefault } = runtime\n${this.functions.join("\n")}\n`
  }
}

/** Throws an EvalError where evaluating code is forbidden. */
export function compile(plan: PlannedStruct): CompiledCodec {
  const source = new Source()
  const root = source.struct(plan)
  // oxlint-disable-next-line no-implied-eval, typescript/no-implied-eval -- the point of this file
  const build = new Function("runtime", `${source.text()}return { encode: e${root}, decode: d${root} }`) as (
    runtime: Runtime,
  ) => CompiledCodec
  return build({ fields: source.fields, isDefault })
}

/** Source text of the compiled functions, for tests and debugging. */
export function sourceOf(plan: PlannedStruct): string {
  const source = new Source()
  source.struct(plan)
  return source.text()
}

function encoder(source: Source, plan: PlannedStruct, index: number): string {
  const lines: string[] = [`if (typeof v !== "object" || v === null) w.fail("not an object")`, "let x"]
  for (const field of plan.fields) {
    const get = `x = v[${JSON.stringify(field.name)}]`
    if (!field.present) {
      if (!field.ignorable) lines.push(`${get}; if (!(${isDefaultText(source, field)})) w.fail("not in this version")`)
    } else if (field.tag < 0) {
      lines.push(get)
      if (field.optional) lines.push(`if (x === undefined) x = ${freshText(field)}`)
      lines.push(writeText(source, field))
    }
  }
  if (plan.flexible) lines.push(...tagWriters(source, plan))
  return `function e${index}(w, v) {\n${lines.join("\n")}\n}`
}

function tagWriters(source: Source, plan: PlannedStruct): string[] {
  if (plan.tagged.length === 0) return ["w.uvarint(0)"]
  const lines = ["let tags = 0"]
  for (const field of plan.tagged) {
    lines.push(
      `x = v[${JSON.stringify(field.name)}]`,
      `const has${field.tag} = !(${isDefaultText(source, field)})`,
      `if (has${field.tag}) tags++`,
    )
  }
  lines.push("w.uvarint(tags)")
  for (const field of plan.tagged) {
    lines.push(
      `if (has${field.tag}) {`,
      `x = v[${JSON.stringify(field.name)}]`,
      `const start = w.beginTag(${field.tag})`,
      writeText(source, field),
      "w.endTag(start)\n}",
    )
  }
  return lines
}

/** Statement that writes `x` as the field. */
function writeText(source: Source, field: PlannedField): string {
  if (field.type === "struct") {
    const call = `e${source.struct(field.struct!)}(w, x)`
    if (!field.nullable) return call
    return `if (x === null) w.int8(${absence(field)})\nelse { w.int8(1); ${call} }`
  }
  if (field.type !== "array") return `w.${method(field.type, field.compact, field.nullable, true)}(x)`
  const item =
    field.element === "struct"
      ? `e${source.struct(field.struct!)}(w, x[i])`
      : `w.${method(field.element!, field.compact, false, true)}(x[i])`
  const body = [
    `if (!Array.isArray(x)) w.fail("not an array")`,
    field.compact ? "w.uvarint(x.length + 1)" : "w.int32(x.length)",
    `for (let i = 0; i < x.length; i++) ${item}`,
  ].join("\n")
  return field.nullable ? `if (x === null) ${field.compact ? "w.uvarint(0)" : "w.int32(-1)"}\nelse {\n${body}\n}` : body
}

function decoder(source: Source, plan: PlannedStruct, index: number): string {
  const lines: string[] = []
  plan.fields.forEach((field, i) => {
    if (field.present && field.tag < 0) lines.push(readText(source, field, `let f${i}`, i))
    else lines.push(`let f${i} = ${freshText(field)}`)
  })
  if (plan.flexible) lines.push(...tagReaders(source, plan))
  const entries = plan.fields.map((field, i) => `${JSON.stringify(field.name)}: f${i}`)
  return `function d${index}(r) {\n${lines.join("\n")}\nreturn { ${entries.join(", ")} }\n}`
}

function tagReaders(source: Source, plan: PlannedStruct): string[] {
  if (plan.tagged.length === 0) return ["r.skipTags()"]
  const cases = plan.tagged.map((field) => {
    const i = plan.fields.indexOf(field)
    return `case ${field.tag}: {\n${readText(source, field, `f${i}`, i)}\nr.endTag(start, size)\nbreak\n}`
  })
  return [
    "for (let left = r.uvarint(); left > 0; left--) {",
    "const tag = r.uvarint(), size = r.uvarint(), start = r.pos",
    `switch (tag) {\n${cases.join("\n")}\ndefault: r.take(size)\n}\n}`,
  ]
}

/** Statement that reads the field into `target` ("let f3" or "f3"). */
function readText(source: Source, field: PlannedField, target: string, i: number): string {
  if (field.type === "struct") {
    const call = `d${source.struct(field.struct!)}(r)`
    return `${target} = ${field.nullable ? `r.presence(${absence(field)}) ? ${call} : null` : call}`
  }
  if (field.type !== "array") return `${target} = r.${method(field.type, field.compact, field.nullable, false)}()`
  const item =
    field.element === "struct"
      ? `d${source.struct(field.struct!)}(r)`
      : `r.${method(field.element!, field.compact, false, false)}()`
  const length = `r.${lengthMethod(field)}(${elementBytesMin(field)})`
  const loop = `for (let n = 0; n < n${i}; n++) f${i}.push(${item})`
  if (!field.nullable) return `const n${i} = ${length}\n${target} = []\n${loop}`
  return `const n${i} = ${length}\n${target} = n${i} < 0 ? null : []\n${loop}`
}

function lengthMethod(field: PlannedField): string {
  if (field.compact) return field.nullable ? "compactNullableLength" : "compactLength"
  return field.nullable ? "nullableLength" : "length"
}

/** Name of the reader's or writer's method for a scalar. */
function method(type: ScalarType, compact: boolean, nullable: boolean, writing: boolean): string {
  if (type !== "string" && type !== "bytes" && type !== "records") return type
  const noun = type === "string" ? "String" : type === "records" && writing ? "Records" : "BytesOf"
  const name = `${compact ? "compact" : ""}${nullable ? "Nullable" : ""}${noun}`
  return name[0]!.toLowerCase() + name.slice(1)
}

/** Expression: a default that may be handed out, fresh where it is mutable. */
function freshText(field: PlannedField): string {
  if (field.fallback !== undefined) return JSON.stringify(field.fallback)
  if (field.type === "array") return "[]"
  if (field.type !== "struct") return "new Uint8Array(0)"
  return `{ ${field.struct!.fields.map((part) => `${JSON.stringify(part.name)}: ${freshText(part)}`).join(", ")} }`
}

/** Expression: is `x` the default or undefined? */
function isDefaultText(source: Source, field: PlannedField): string {
  if (field.fallback !== undefined) return `x === undefined || x === ${JSON.stringify(field.fallback)}`
  if (field.type !== "struct") return "x === undefined || x !== null && x.length === 0"
  return `isDefault(fields[${source.field(field)}], x)`
}
