/**
 * Values of a writer's schema -> values of a reader's schema: Avro's schema resolution, after decoding.
 *
 * The same rules as `avro/compatibility.ts`, applied to values: fields are picked by name or alias and missing ones get
 * their default, unknown enum symbols become the enum's default, string and bytes turn into each other, and a union
 * takes the branch of the same name, else the first that reads all of the writer's type. Two schemas that do not agree
 * everywhere still read the values that fit: the rest throws when it is met.
 *
 * Compiled once per pair of schemas; undefined stands for "as it is".
 */
import { SerdeError } from "../errors.ts"
import { avroIncompatibilities, canRead, namesMatch, promotes, writerField } from "./compatibility.ts"
import { defaultValue, isValidDefault } from "./defaults.ts"
import { isWrapped, unwrap, wrap } from "./representation.ts"
import { type AvroEnum, type AvroRecord, type AvroType, type AvroUnion, branchName, isNamed } from "./schema.ts"

export type Projection = ((value: unknown) => unknown) | undefined

export const project = (name: string, reader: AvroType, writer: AvroType): Projection =>
  build({ name, records: new Map() }, reader, writer)

interface Building {
  readonly name: string
  /** Projections of records, complete or under construction, by reader and writer. */
  readonly records: Map<AvroRecord, Map<AvroRecord, { project: (value: unknown) => unknown }>>
}

function build(building: Building, reader: AvroType, writer: AvroType): Projection {
  if (reader === writer) return undefined
  if (writer.type === "union") return fromUnion(building, reader, writer)
  if (reader.type === "union") return toUnion(building, reader, writer)
  if (reader.type !== writer.type) {
    return promotes(writer.type, reader.type) ? promote(reader.type) : refuse(building, reader, writer)
  }
  if (isNamed(reader) && !namesMatch(reader, writer as typeof reader)) return refuse(building, reader, writer)
  switch (reader.type) {
    case "array": {
      const item = build(building, reader.items, (writer as typeof reader).items)
      return item && ((value) => (value as unknown[]).map(item))
    }
    case "map": {
      const one = build(building, reader.values, (writer as typeof reader).values)
      return (
        one &&
        ((value) => {
          const projected: Record<string, unknown> = {}
          for (const key of Object.keys(value as object)) projected[key] = one((value as Record<string, unknown>)[key])
          return projected
        })
      )
    }
    case "fixed":
      return reader.size === (writer as typeof reader).size ? undefined : refuse(building, reader, writer)
    case "enum":
      return symbols(building, reader, writer as AvroEnum)
    case "record":
      return record(building, reader, writer as AvroRecord)
    default:
      return undefined
  }
}

const promote = (reader: AvroType["type"]): Projection => {
  if (reader === "string") return (value) => Buffer.from(value as Uint8Array).toString("utf8")
  if (reader === "bytes") return (value) => Buffer.from(value as string, "utf8")
  return reader === "float" ? (value) => Math.fround(value as number) : undefined
}

function refuse(building: Building, reader: AvroType, writer: AvroType): Projection {
  const [first] = avroIncompatibilities(reader, writer)
  const reason = first?.description ?? `${branchName(reader)} does not read ${branchName(writer)}`
  return () => {
    throw new SerdeError(building.name, `cannot read what another schema wrote: ${reason}`)
  }
}

function fromUnion(building: Building, reader: AvroType, writer: AvroUnion): Projection {
  const wrapped = isWrapped(writer)
  const branches = writer.branches.map((branch) => build(building, reader, branch))
  const sameBranches =
    reader.type === "union" &&
    isWrapped(reader) === wrapped &&
    writer.branches.every((branch) => reader.branches.some((one) => branchName(one) === branchName(branch)))
  // Where no branch changes its values and both sides wrap alike, neither does the union.
  const same = (value: unknown) => value
  if (sameBranches && !wrapped && branches.every((branch) => branch === undefined)) return undefined
  return (value) => {
    const found = unwrap(writer, wrapped, value)
    return (branches[found.index] ?? same)(found.value)
  }
}

function toUnion(building: Building, reader: AvroUnion, writer: AvroType): Projection {
  const named = reader.branches.find((branch) => branchName(branch) === branchName(writer) && canRead(branch, writer))
  const branch = named ?? reader.branches.find((candidate) => canRead(candidate, writer))
  if (!branch) return refuse(building, reader, writer)
  const inner = build(building, branch, writer)
  if (!isWrapped(reader)) return inner
  return (value) => wrap(branch, inner ? inner(value) : value)
}

function symbols(building: Building, reader: AvroEnum, writer: AvroEnum): Projection {
  if (writer.symbols.every((symbol) => reader.symbols.includes(symbol))) return undefined
  const known = new Set(reader.symbols)
  const fallback = reader.default
  return (value) => {
    if (known.has(value as string)) return value
    if (fallback !== undefined) return fallback
    throw new SerdeError(building.name, `the enum ${reader.name} lacks the symbol ${String(value)} that was written`)
  }
}

function record(building: Building, reader: AvroRecord, writer: AvroRecord): Projection {
  const writers = building.records.get(reader) ?? new Map<AvroRecord, { project: (value: unknown) => unknown }>()
  building.records.set(reader, writers)
  const open = writers.get(writer)
  if (open) return (value) => open.project(value)
  const entry = { project: (value: unknown) => value }
  writers.set(writer, entry)
  const fields = reader.fields.map((field) => {
    const written = writerField(field, writer)
    if (written) return { name: field.name, from: written.name, project: build(building, field.type, written.type) }
    return { name: field.name, from: undefined, project: missing(building, reader, field.name) }
  })
  entry.project = (value) => {
    const projected: Record<string, unknown> = {}
    for (const { name, from, project } of fields) {
      const given = from === undefined ? undefined : (value as Record<string, unknown>)[from]
      projected[name] = project ? project(given) : given
    }
    return projected
  }
  return entry.project
}

function missing(building: Building, reader: AvroRecord, name: string): Projection {
  const field = reader.fields.find((candidate) => candidate.name === name)!
  const json = field.default
  if (json !== undefined && isValidDefault(field.type, json)) {
    return () => defaultValue(field.type, json)
  }
  const reason = json === undefined ? "has no default" : `has a default that is not of its type`
  return () => {
    throw new SerdeError(building.name, `the field ${name} of ${reader.name} was not written and ${reason}`)
  }
}
